import { fromBase64Url } from "@latchkey/codec";

/** Members that one text names, at most. */
const maxMentions = 64;

/** Of `[any words](mimi://HOST/u/ACCOUNT)`, or `/r/GROUP` for everybody, what names: the words are a hint, and are not shown (spec X-1). */
const link = /\]\(mimi:\/\/([^\s/()]{1,260})\/(u|r)\/([A-Za-z0-9_-]{1,344})\)/gu;

/** What a text names, as it stands in it; whether these are members is not looked at. */
export interface NamedIn {
  readonly accounts: readonly Uint8Array[];
  /** Whether it names the room that it is in. */
  readonly room: boolean;
}

/**
 * The accounts on `host` that a text names by links, each once, and whether it names the room itself.
 * @param roomUri of the group, `mimi://HOST/r/GROUP`
 */
export function namedIn(text: string, host: string, roomUri: string): NamedIn {
  const accounts = new Map<string, Uint8Array>();
  let room = false;
  if (!text.includes("](mimi://")) return { accounts: [], room };
  for (const [, where = "", kind, id = ""] of text.matchAll(link)) {
    if (kind === "r") room ||= `mimi://${where}/r/${id}` === roomUri;
    else if (where === host && accounts.size < maxMentions) {
      const accountId = accountOf(id);
      if (accountId !== undefined) accounts.set(id, accountId);
    }
  }
  return { accounts: [...accounts.values()], room };
}

function accountOf(id: string): Uint8Array | undefined {
  try {
    const accountId = fromBase64Url(id);
    return accountId.length === 32 ? accountId : undefined;
  } catch {
    return undefined;
  }
}
