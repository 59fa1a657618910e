import { ack, type DataUpdaterHandler, MessageHandler, OnSignal } from '@mississippi/core';
import { type Reading, readingCodec } from './reading.js';

/** The 16 bytes of a device's id. They arrive as a string where they happen to be UTF-8, whatever the producer is written in. */
export type DeviceKey = Uint8Array | string;

/** What is known of a device. */
export interface Device {
  /** Its key, in hexadecimal digits. */
  id: string;
  readings: number;
  /** The sequence number of its latest reading. */
  latest: number;
  /** How often a reading was not the successor of the one before. */
  gaps: number;
  /** `null` before the first reading. */
  highest: number | null;
}

/** Follows devices. The sharding key is the device's id, which is no text but bytes. */
@MessageHandler({ payload: readingCodec, keys: 'bytes' })
export class DeviceHandler implements DataUpdaterHandler<Device, Reading, DeviceKey> {
  init(key: DeviceKey): Device {
    return { id: Buffer.from(key).toString('hex'), readings: 0, latest: 0, gaps: 0, highest: null };
  }

  handleMessage({ sequence, celsius }: Reading, device: Device) {
    if (sequence <= device.latest) return ack(); // It came twice.
    return ack({
      ...device,
      readings: device.readings + 1,
      latest: sequence,
      gaps: device.gaps + (device.readings === 0 || sequence === device.latest + 1 ? 0 : 1),
      highest: Math.max(device.highest ?? celsius, celsius),
    });
  }

  @OnSignal('look')
  look(_signal: undefined, device: Device): Device {
    return device;
  }
}
