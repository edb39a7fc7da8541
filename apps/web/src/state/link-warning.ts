/** Why a link may lead elsewhere than it seems to. */
export interface LinkWarning {
  readonly kind: "other_host" | "mixed_scripts" | "user";
  /** Where it leads, as the network has it: in ASCII. */
  readonly host: string;
}

/** So much of what a link shows is looked at for hosts. */
const maxWords = 2048;

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
  const isOther = (named: string): boolean => named !== hostname && `www.${named}` !== hostname && named !== `www.${hostname}`;
  if (hostsIn(words).some(isOther)) return { kind: "other_host", host };
  return hostname.split(".").some((label) => label.startsWith("xn--")) ? { kind: "mixed_scripts", host } : undefined;
}

/** What a host is among words: all of them are one, or one is written as an address. */
const whole = /^(?:https?:\/\/|[^\s/?#:@]+@)?([^\s/?#:@]+\.[^\s/?#:@]{2,})(?:[/?#:]\S*)?$/iu;
const within = /(?:https?:\/\/|(?<![^\s([{"'“„«<])www\.)[^\s/?#:@]+/giu;

/** What stands around an address and is no part of it. */
const edges = /^[([{"'“„«<]+|[.,;!)\]}"'”»>]+$/gu;

/** The hosts that words seem to name; of one that no network knows, the words. */
function hostsIn(words: string): readonly string[] {
  // Other characters are read as dots by people, and by browsers.
  const text = words.slice(0, maxWords).normalize("NFKC").replaceAll("。", ".").trim();
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/u.test(url.protocol) && url.username === "" && !/\s/u.test(text)) return [url.hostname];
  const alone = whole.exec(text)?.[1];
  const found = alone === undefined ? [...text.matchAll(within)].map(([one]) => one.replace(/^https?:\/\//iu, "")) : [alone];
  return found.map((one) => {
    try {
      return new URL(`http://${one.replaceAll(edges, "")}`).hostname;
    } catch {
      return one;
    }
  });
}
