/** What somebody typed into a field of a form that was sent, without space around it. */
export function fieldIn(event: Event, name: string): string {
  const value = new FormData(event.currentTarget as HTMLFormElement).get(name);
  return typeof value === 'string' ? value.trim() : '';
}
