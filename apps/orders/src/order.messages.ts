import { IsInt, IsNotEmpty, IsPositive, IsString } from 'class-validator';

export class OrderCreated {
  @IsString()
  @IsNotEmpty()
  customer!: string;

  @IsInt()
  @IsPositive()
  cents!: number;
}

export class OrderPaid {
  @IsInt()
  @IsPositive()
  cents!: number;
}

export class OrderShipped {
  @IsString()
  @IsNotEmpty()
  parcel!: string;
}

export class OrderCancelled {
  @IsString()
  reason!: string;
}

/** Each type of message with its payload; the compiler goes by it in the handler and in its clients. */
export interface OrderMessages {
  'order.created': OrderCreated;
  'order.paid': OrderPaid;
  'order.shipped': OrderShipped;
  'order.cancelled': OrderCancelled;
}
