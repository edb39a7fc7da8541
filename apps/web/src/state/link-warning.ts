/** Why a link may lead elsewhere than it seems to. */
export interface LinkWarning {
  readonly kind: "other_host" | "mixed_scripts" | "user";
  /** Where it leads, as the network has it: in ASCII. Of mail the address. */
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
  if (url.protocol === "mailto:") return mailWarning(url, words);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  const { host, hostname } = url;
  if (url.username !== "" || url.password !== "") return { kind: "user", host };
  const isOther = (named: string): boolean => named !== hostname && `www.${named}` !== hostname && named !== `www.${hostname}`;
  if (hostsIn(words).some(isOther)) return { kind: "other_host", host };
  return hostname.split(".").some((label) => label.startsWith("xn--")) ? { kind: "mixed_scripts", host } : undefined;
}

/** Mail that goes to another address, or to another host, than the words say. */
function mailWarning({ pathname }: URL, words: string): LinkWarning | undefined {
  const address = unescaped(pathname).toLowerCase();
  const host = address.slice(address.lastIndexOf("@") + 1);
  const said = seen(words)
    .replace(/^mailto:/iu, "")
    .replaceAll(edges, "");
  const named = /^[^\s?@]+@[^\s?@]+$/u.test(said) ? [said.toLowerCase()] : hostsIn(words);
  return named.some((one) => one !== address && one !== host) ? { kind: "other_host", host: address } : undefined;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What takes no room that anybody sees, and spaces as thin as a hair. */
const unseen = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u2000-\u200A\u202F\u205F]/gu;

/** The words of a link as a person sees them. */
function seen(words: string): string {
  return words.replaceAll(unseen, "").trim().slice(0, maxWords).normalize("NFKC").trim();
}

/** What a host is among words: all of them are one, or one is written as an address. */
const whole = /^(?:https?:\/\/|[^\s/?#:@]+@)?([^\s/?#:@]+\.[^\s/?#:@]{2,})(?:[/?#:]\S*)?$/iu;
const within = /(?:https?:\/\/|(?<![^\s([{"'“„«<])www\.)[^\s/?#:@]+/giu;

/** What stands around an address and is no part of it. */
const edges = /^[([{"'“„«<]+|[.,;!)\]}"'”»>]+$/gu;

/** The hosts that words seem to name; of one that no network knows, the words. */
function hostsIn(words: string): readonly string[] {
  // Other characters are read as dots by people, and by browsers.
  const text = seen(words).replaceAll("。", ".");
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
