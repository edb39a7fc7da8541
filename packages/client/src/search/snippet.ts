import { characterStart, fold, foldMessage, foldPieces, keepsPlaces } from "./fold.ts";

/** Where something that is looked for stands, in UTF-16 units. */
export interface Hit {
  readonly start: number;
  readonly end: number;
}

/** A piece of a text around what was looked for, and where that stands in it. */
export interface Snippet {
  readonly text: string;
  readonly hits: readonly Hit[];
}

const snippetLength = 200;
/** What is shown before the first hit, at most. */
const leadLength = 40;
const maxHits = 32;

/** A piece of a text around the first place where one of these folded terms stands. */
export function snippetOf(text: string, terms: readonly string[]): Snippet {
  const folded = foldMessage(text);
  const found = hitsIn(folded, terms).slice(0, maxHits);
  const first = found[0]?.start ?? 0;
  const places = keepsPlaces(text) ? (at: number): number => at : placesIn(text, found.at(-1)?.end ?? 0);
  const start = startOf(text, places(first));
  const end = Math.min(text.length, start + snippetLength);
  const hits: Hit[] = [];
  for (const hit of found) {
    const [from, to] = [places(hit.start), placeAfter(text, places(hit.end - 1))];
    if (from >= end) break;
    hits.push({ start: from - start, end: Math.min(to, end) - start });
  }
  const [before, after] = [start > 0 ? "…" : "", end < text.length ? "…" : ""];
  const shown = hits.map((hit) => ({ start: hit.start + before.length, end: hit.end + before.length }));
  return { text: `${before}${text.slice(start, end).toWellFormed().replaceAll(/\s/g, " ")}${after}`, hits: shown };
}

/** Where terms stand in a folded text, in its order; those that touch are one. */
function hitsIn(folded: string, terms: readonly string[]): readonly Hit[] {
  const all: { start: number; end: number }[] = [];
  for (const term of terms) {
    let count = 0;
    for (let at = folded.indexOf(term); at !== -1 && count < maxHits; at = folded.indexOf(term, at + 1), count++)
      all.push({ start: at, end: at + term.length });
  }
  const merged: { start: number; end: number }[] = [];
  for (const hit of all.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && hit.start <= last.end) last.end = Math.max(last.end, hit.end);
    else merged.push(hit);
  }
  return merged;
}

/** A little before a hit, at the beginning of a word where one is near. */
function startOf(text: string, hit: number): number {
  if (hit <= leadLength) return 0;
  const from = hit - leadLength;
  const space = text.slice(from, hit).search(/\s/);
  return space === -1 || space > leadLength / 2 ? characterStart(text, from) : from + space + 1;
}

/** Behind the character at a place, with the marks that stand on it. */
function placeAfter(text: string, at: number): number {
  let end = at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
  while (end < text.length && end - at < 16 && fold(text.charAt(end)) === "" && text.charAt(end).trim() !== "") end += 1;
  return end;
}

/**
 * Of which place of a text a place of it as it is folded is: by pieces, of which only those are gone through that are asked for, once. Folding
 * knows no context, so that the pieces folded are the text folded. Places are asked for up to `last`.
 */
function placesIn(text: string, last: number): (at: number) => number {
  const pieces: { readonly start: number; readonly text: string; readonly foldedStart: number }[] = [];
  let start = 0;
  let foldedStart = 0;
  for (const piece of foldPieces(text)) {
    if (foldedStart > last) break;
    pieces.push({ start, text: piece.text, foldedStart });
    start += piece.text.length;
    foldedStart += piece.folded.length;
  }
  const known = new Map<(typeof pieces)[number], readonly number[]>();
  return (at) => {
    const piece = pieces.findLast((one) => one.foldedStart <= at);
    if (piece === undefined) return 0;
    const places = known.get(piece) ?? placesOfPiece(piece.text);
    known.set(piece, places);
    return piece.start + (places[at - piece.foldedStart] ?? piece.text.length);
  };
}

/** For each place of a piece as it is folded where the character begins of which it is. */
function placesOfPiece(text: string): readonly number[] {
  const places: number[] = [];
  let place = 0;
  for (const character of text) {
    for (let left = fold(character).length; left > 0; left -= 1) places.push(place);
    place += character.length;
  }
  return places;
}
