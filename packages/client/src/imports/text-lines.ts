/** A line of a file, without its end; `isCut` where it was longer than what is read. */
export interface TextLine {
  readonly text: string;
  readonly isCut: boolean;
}

/**
 * The lines of a UTF-8 text as it comes. LF, CRLF and CR end a line. What is no UTF-8 becomes U+FFFD. Of a line that is longer than `maxLength` UTF-16 units the
 * beginning is given and the rest thrown away as it comes, so that nothing grows with it.
 */
export async function* textLines(pieces: AsyncIterable<Uint8Array>, maxLength: number): AsyncGenerator<TextLine[], void, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  let isCut = false;
  let endsWithCr = false;
  const take = (text: string, isLast: boolean): TextLine[] => {
    // A line feed behind a carriage return that ended the piece before belongs to it.
    const own = endsWithCr && text.startsWith("\n") ? text.slice(1) : text;
    if (text !== "") endsWithCr = text.endsWith("\r");
    const [first = "", ...more] = own.split(/\r\n|\r|\n/);
    const lines: TextLine[] = [];
    const grow = (part: string): void => {
      if (rest.length + part.length > maxLength) isCut = true;
      if (rest.length < maxLength) rest += part.slice(0, maxLength - rest.length);
    };
    grow(first);
    for (const part of more) {
      lines.push({ text: rest, isCut });
      [rest, isCut] = ["", false];
      grow(part);
    }
    if (isLast && rest !== "") lines.push({ text: rest, isCut });
    return lines;
  };
  for await (const piece of pieces) yield take(decoder.decode(piece, { stream: true }), false);
  yield take(decoder.decode(), true);
}
