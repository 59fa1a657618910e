/** What happened to one flight; over TCP, where none is published, it is handled when it is answered. */
export type ReplayStep = 'published' | 'handled';
