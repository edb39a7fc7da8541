import { CodecError, mapped, text } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

const usernamePattern = /^[a-z0-9_.-]{3,32}$/;
const hostPattern =
  /^(?=.{1,253}(?::|$))(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*(?::[1-9][0-9]{0,4})?$/;

/** A person: a username on a host (spec C-3). */
export interface Address {
  readonly username: string;
  readonly host: string;
}

/** Whether `username` is 3 to 32 of `a-z 0-9 _ . -` (spec C-3). */
export function isUsername(username: string): boolean {
  return usernamePattern.test(username);
}

/** What a person takes for the service itself, or for whoever runs it; each also with separators between or around it. */
const reservedNames = [
  ..."admin administrator administration sysadmin root superuser system sysop operator moderator owner staff team official".split(" "),
  ..."support help helpdesk helpcenter service customerservice feedback contact info security abuse trust safety privacy".split(" "),
  ..."recovery verification verify notice notices notification notifications alert alerts billing legal compliance".split(" "),
  ..."postmaster hostmaster webmaster mailerdaemon noreply nobody anonymous server bot".split(" "),
  ..."you yourself myself everyone everybody all here channel group unknown deleted".split(" "),
  "latchkey",
  "latchkeyapp",
  "latchkeyteam",
  "latchkeysupport",
];

/** What looks alike in a username is made equal, and what separates is left out: `_ad.m1n` and `admin` are both `admln`. */
function bareName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "")
    .replaceAll("0", "o")
    .replaceAll(/[1i]/g, "l")
    .replaceAll("rn", "m")
    .replaceAll("vv", "w");
}

const reservedBare: ReadonlySet<string> = new Set(reservedNames.map((name) => bareName(name)));

/**
 * Whether nobody may register `username` (spec C-3): it reads like the service, its staff or the person's own name for themselves
 * ("you"), it is the server's name or host, or it has no letter or digit at all. Names bound already stay valid everywhere: this is a
 * rule of registration alone. `serverNames` are what the server is called: its host, its first label, the name it tells at hello.
 */
export function isReservedUsername(username: string, serverNames: readonly string[]): boolean {
  const bare = bareName(username);
  if (bare === "") return true;
  if (reservedBare.has(bare)) return true;
  return serverNames.some((name) => {
    const [withoutPort = ""] = name.split(":");
    const [label = ""] = withoutPort.split(".");
    return [name, withoutPort, label].some((form) => bareName(form).length >= 3 && bareName(form) === bare);
  });
}

/** Whether `host` is a lower-case A-label DNS name with an optional port (spec C-3; `:443` is never written). */
export function isHost(host: string): boolean {
  if (!hostPattern.test(host)) return false;
  const port = host.split(":")[1];
  return port === undefined || (port !== "443" && Number(port) <= 65_535);
}

/**
 * `name` or `name@host`, surrounding space, capitals and a leading `@` forgiven; a bare name is on `ownHost`.
 * `undefined` when it is no address.
 */
export function parseAddress(input: string, ownHost: string): Address | undefined {
  const cleaned = input.trim().toLowerCase().replace(/^@/, "");
  const [username = "", host = ownHost, ...rest] = cleaned.split("@");
  if (rest.length > 0 || !isUsername(username) || !isHost(host)) return undefined;
  return { username, host };
}

/** `name` on one's own host, else `name@host` (spec C-3). */
export function formatAddress(address: Address, ownHost: string): string {
  return address.host === ownHost ? address.username : `${address.username}@${address.host}`;
}

const hostText = text(260);
const usernameText = text(32);

/** A host on the wire; anything else is refused. */
export const hostCodec: Codec<string> = mapped(
  hostText,
  (host: string) => accept(host, isHost),
  (host) => accept(host, isHost),
);

/** A username on the wire; anything else is refused. */
export const usernameCodec: Codec<string> = mapped(
  usernameText,
  (name: string) => accept(name, isUsername),
  (name) => accept(name, isUsername),
);

function accept(value: string, test: (value: string) => boolean): string {
  if (!test(value)) throw new CodecError("invalid", "not a host or username");
  return value;
}
