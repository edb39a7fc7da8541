/** How many words a recovery phrase has. */
export const phraseLength = 24;

/** The words in a text, however they are separated, numbered (`1.`, `2)`) or capitalised. */
export function splitPhrase(text: string): readonly string[] {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .split(/[^a-z]+/u)
    .filter((word) => word !== "");
}

/** The word that begins like `typed` and is meant: itself, or the only one that begins so. */
export function completeWord(typed: string, list: readonly string[]): string | undefined {
  if (list.includes(typed)) return typed;
  if (typed.length < 2) return undefined;
  const matches = list.filter((word) => word.startsWith(typed));
  return matches.length === 1 ? matches[0] : undefined;
}

/** The words with these from a place on: what does not fit is left out. */
export function putWords(typed: readonly string[], from: number, words: readonly string[]): readonly string[] {
  return typed.map((one, at) => (at >= from ? (words[at - from] ?? one) : one));
}

/** The words with the one at `index` completed, if it can be; the same value where nothing changes. */
export function completeAt(typed: readonly string[], index: number, list: readonly string[]): readonly string[] {
  const word = completeWord(typed[index] ?? "", list);
  return word === undefined || word === typed[index] ? typed : putWords(typed, index, [word]);
}

/** Words to offer for what is being typed, at most `limit`. */
export function offerWords(typed: string, list: readonly string[], limit = 6): readonly string[] {
  if (typed === "") return [];
  return list.filter((word) => word.startsWith(typed)).slice(0, limit);
}

/** The word of the list that is most like a mistyped one, if one is close. */
export function nearestWord(typed: string, list: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const word of list) {
    if (Math.abs(word.length - typed.length) >= bestDistance) continue;
    const distance = editDistance(typed, word);
    if (distance < bestDistance) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

/** How many letters must be put in, taken out or changed. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** `count` different places of `length`, chosen by chance, in rising order. */
export function choosePlaces(count: number, length: number): readonly number[] {
  const chosen = new Set<number>();
  const random = new Uint32Array(1);
  while (chosen.size < Math.min(count, length)) {
    crypto.getRandomValues(random);
    chosen.add((random[0] ?? 0) % length);
  }
  return [...chosen].sort((a, b) => a - b);
}
