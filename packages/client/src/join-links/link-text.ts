import { CodecError, decode, encode, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { joinLinkCodeCodec } from "@latchkey/protocol";
import type { JoinLinkCode } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";
import { hostOfUrl } from "../transport/hosts.ts";

/** The path of the web app that a join link opens. */
export const joinPath = "/join";
const prefix = "v1.";
/** Longer than any link can be. */
const maxLinkText = 2048;

/**
 * A join link, to be given to people: what stands behind `#` no server sees.
 * @param baseUrl how this client reaches the host: where it is by another name, the link has the host's
 */
export function formatJoinLink(baseUrl: string, code: JoinLinkCode): string {
  const base = hostOfUrl(baseUrl) === code.host ? baseUrl.replace(/\/+$/u, "") : `https://${code.host}`;
  return `${base}${joinPath}#${prefix}${toBase64Url(encode(joinLinkCodeCodec, code))}`;
}

/** A join link as somebody got it, or what stands behind its `#`. @throws ClientError `invalid_join_link` */
export function parseJoinLink(typed: string): JoinLinkCode {
  const text = typed.trim();
  try {
    if (text.length > maxLinkText) throw new CodecError("limit", "too long");
    const [address, fragment] = text.includes("#") ? split(text) : ["", text];
    if (!fragment.startsWith(prefix)) throw new CodecError("invalid", "of another form");
    const code = decode(joinLinkCodeCodec, fromBase64Url(fragment.slice(prefix.length)));
    // It leads where it says that it leads, or nowhere.
    if (address !== "" && (hostOfUrl(address) !== code.host || new URL(address).pathname !== joinPath))
      throw new CodecError("invalid", "says two hosts");
    return {
      ...code,
      linkId: code.linkId.slice(),
      keyHash: code.keyHash.slice(),
      secret: code.secret.slice(),
      directory: code.directory.slice(),
    };
  } catch (cause) {
    // Alphabet, structure or address: each is an error of its own.
    throw new ClientError("invalid_join_link", "This is no invite link, or a part of it is missing. Copy all of it.", { cause });
  }
}

function split(text: string): readonly [string, string] {
  const at = text.indexOf("#");
  return [text.slice(0, at), text.slice(at + 1)];
}
