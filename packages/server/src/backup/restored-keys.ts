import { decode, equalBytes } from "@latchkey/codec";
import { directoryConfigCodec, parseNote, vrfPublicKey } from "@latchkey/transparency";
import { ServerError } from "../errors.ts";
import { logKeyOf } from "../directory/keys.ts";
import type { Replayed } from "../journal/replay.ts";
import type { NamedKeys } from "./sealed-keys.ts";

/**
 * Of all the keys that are at hand those that the public record goes by, under the names that a server looks for: a backup may be older
 * than a rotation of the log's key that the journal has. @param candidates keys by name, of the backup and of a folder beside it
 * @throws ServerError `restore_failed` where one is not among them
 */
export function keysOfRecord(candidates: readonly NamedKeys[], { firstConfig, config, note }: Replayed["record"]): NamedKeys {
  // Before its first entry a record goes by whatever keys there are.
  if (note === "") return new Map(candidates.toReversed().flatMap((keys) => [...keys]));
  const first = decode(directoryConfigCodec, firstConfig);
  const vrf = candidates
    .map((keys) => keys.get("vrf.key"))
    .find((key) => key !== undefined && equalBytes(vrfPublicKey(key), first.vrfPublicKey));
  if (vrf === undefined) throw missing("vrf.key", "");
  const all = candidates
    .flatMap((keys) => [keys.get("log.key"), keys.get("log-next.key")])
    .filter((key) => key !== undefined)
    .map((secretKey) => logKeyOf(first.origin, secretKey));
  const announced = decode(directoryConfigCodec, config).logKey;
  const signers = new Set(parseNote(note).signatures.map(({ keyId }) => keyId));
  const next = all.find(({ vkey }) => vkey === announced);
  if (next === undefined) throw missing("log-next.key", " It was changed after the backup (--rotate-log-key).");
  // Until the notice is over both sign (spec D-2), and the one before is still the first.
  const current = all.find(({ vkey, keyId }) => vkey !== announced && signers.has(keyId)) ?? next;
  if (!signers.has(current.keyId)) throw missing("log.key", "");
  return new Map([
    ["log.key", current.secretKey],
    ["vrf.key", vrf],
    ...(current === next ? [] : [["log-next.key", next.secretKey] as const]),
  ]);
}

function missing(name: string, why: string): ServerError {
  return new ServerError(
    "restore_failed",
    `The public record goes by a ${name} that is not there.${why} Name with --keys a folder that has it, the one of the lost server or a copy of its directory/: with another key nobody would trust the record.`,
  );
}
