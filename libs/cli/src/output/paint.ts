import { styleText } from 'node:util';

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

/** Colours, where the terminal takes them. */
export class Paint {
  constructor(private readonly on: boolean) {}

  bold(text: string): string {
    return this.styled('bold', text);
  }

  dim(text: string): string {
    return this.styled('dim', text);
  }

  red(text: string): string {
    return this.styled('red', text);
  }

  yellow(text: string): string {
    return this.styled('yellow', text);
  }

  green(text: string): string {
    return this.styled('green', text);
  }

  private styled(style: Style, text: string): string {
    // It is known already whether the stream takes colours.
    return this.on ? styleText(style, text, { validateStream: false }) : text;
  }
}
