const patterns: readonly (readonly [string, RegExp])[] = [
  ["an address", /[\w.+-]+@[\w-]+/u],
  ["a name behind an @", /(?:^|[^\w])@\w{3,}/u],
  ["a number of somebody's", /\d(?:[\s().-]?\d){6,}/u],
  ["an account's id", /(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{43}(?![\w-])/u],
  ["a network address", /\b\d{1,3}(?:\.\d{1,3}){3}\b|(?:[\da-f]{1,4}:){3,}/iu],
];

/**
 * What in a text seems to name somebody: an address, a number, an id, or one of these names as a word of its own; `undefined` for nothing.
 * It finds what is written so; that a story names somebody between its lines, only people see.
 */
export function personalDataIn(text: string, names: readonly string[] = []): string | undefined {
  const folded = text.normalize("NFKC").replaceAll(/\b\d{4}-\d{2}-\d{2}\b/gu, "a date");
  for (const [what, pattern] of patterns) if (pattern.test(folded)) return what;
  const words = wordsOf(folded);
  const isNamed = names.some((name) => {
    const wanted = wordsOf(name);
    return wanted.length > 0 && words.some((_, at) => wanted.every((word, next) => words[at + next] === word));
  });
  return isNamed ? "a name" : undefined;
}

function wordsOf(text: string): readonly string[] {
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}_]+/gu) ?? []
  );
}
