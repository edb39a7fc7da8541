/** What of a key the composer looks at. */
export interface ComposerKey {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly isComposing: boolean;
  /** 229 where an input method has the key. */
  readonly keyCode: number;
}

/** Whether a key belongs to an input method: Safari sends the Enter that ends a composition when it has ended, and marks it so. */
export function isOfInputMethod({ isComposing, keyCode }: Pick<ComposerKey, "isComposing" | "keyCode">): boolean {
  return isComposing || keyCode === 229;
}

/** Whether this key sends: Enter, or Shift Enter where Enter makes lines; Ctrl or Cmd Enter always. */
export function isSendKey(key: ComposerKey, enterSends: boolean): boolean {
  if (key.key !== "Enter" || key.altKey || isOfInputMethod(key)) return false;
  return key.ctrlKey || key.metaKey || key.shiftKey !== enterSends;
}

const marks: Readonly<Record<string, string>> = { b: "**", i: "*", e: "`" };

/** The mark of Markdown that this key puts around what is selected: Ctrl or Cmd with B, I or E. */
export function markOfKey(key: ComposerKey): string | undefined {
  if (!(key.ctrlKey || key.metaKey) || key.altKey || key.shiftKey || isOfInputMethod(key)) return undefined;
  return marks[key.key.toLowerCase()];
}

/** Replacements in a text, the last place first, and what is selected after them. */
export interface Marking {
  readonly edits: readonly { readonly start: number; readonly end: number; readonly text: string }[];
  readonly selection: readonly [start: number, end: number];
}

/** Puts a mark on both sides of what is selected, or takes it away where it stands there. */
export function marking(text: string, [start, end]: readonly [start: number, end: number], mark: string): Marking {
  const { length } = mark;
  const isMarked = standsAt(text, start - length, mark) && standsAt(text, end, mark);
  const sides = isMarked ? [end, start - length] : [end, start];
  const by = isMarked ? -length : length;
  return {
    edits: sides.map((at) => (isMarked ? { start: at, end: at + length, text: "" } : { start: at, end: at, text: mark })),
    selection: [start + by, end + by],
  };
}

/** Whether a mark stands there, and is not a part of a longer one: the stars of bold words are not those of slanted ones. */
function standsAt(text: string, at: number, mark: string): boolean {
  const [sign = ""] = mark;
  let from = at;
  let until = at + mark.length;
  if (at < 0 || text.slice(from, until) !== mark) return false;
  while (text[from - 1] === sign) from -= 1;
  while (text[until] === sign) until += 1;
  const run = until - from;
  return run === mark.length || run === 3;
}
