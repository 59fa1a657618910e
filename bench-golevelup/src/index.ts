export { golevelupConsumer, type ConsumerSettings } from './consumer.js';
export { golevelupPublisher, type Publish } from './publisher.js';
