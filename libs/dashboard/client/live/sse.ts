export type Told = (event: string, data: unknown) => void;

/**
 * Server-sent events of a response. The browser's own `EventSource` can send no header, so that a token would have to be in the url, where
 * logs keep it.
 */
export async function readEvents(response: Response, told: Told): Promise<void> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += part.value;
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) tellOne(block, told);
  }
}

function tellOne(block: string, told: Told): void {
  let [event, data] = ['message', ''];
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) event = line.slice(7);
    if (line.startsWith('data: ')) data += line.slice(6);
  }
  if (data !== '') told(event, JSON.parse(data));
}
