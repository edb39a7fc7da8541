/** Why a link may lead elsewhere than it seems to. */
export interface LinkWarning {
  readonly kind: "other_host" | "mixed_scripts" | "user";
  /** Where it leads, as the network has it: in ASCII. */
  readonly host: string;
}

/**
 * What to ask before a link is followed; `undefined` where it leads where it says. One is asked about when its words name another host, when
 * a part of its host mixes scripts or is not written in letters of the reader's languages alone, or when it hides the host behind a user's name.
 * @param words what the link shows
 */
export function linkWarning(href: string, words: string): LinkWarning | undefined {
  let url: URL;
  try {
    url = new URL(href);
  } catch {
    return undefined;
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  const { host, hostname } = url;
  if (url.username !== "" || url.password !== "") return { kind: "user", host };
  const named = hostIn(words);
  if (named !== undefined && named !== hostname && `www.${named}` !== hostname && named !== `www.${hostname}`)
    return { kind: "other_host", host };
  return hostname.split(".").some((label) => label.startsWith("xn--")) ? { kind: "mixed_scripts", host } : undefined;
}

/** The host that words seem to name; `undefined` where they name none. */
function hostIn(words: string): string | undefined {
  const text = words.trim();
  const found = /^(?:https?:\/\/)?([^\s/?#:@]+\.[^\s/?#:@]{2,})(?:[/?#:]\S*)?$/iu.exec(text)?.[1];
  if (found === undefined) return undefined;
  try {
    return new URL(`http://${found}`).hostname;
  } catch {
    return undefined;
  }
}
