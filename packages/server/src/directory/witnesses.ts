import { readAtMost } from "@latchkey/codec";
import {
  TransparencyError,
  encodeAddCheckpoint,
  formatSignatureLine,
  isQuorumMet,
  mapWitnessName,
  parseNote,
  parsePolicy,
  parseSignatureLines,
  parseWitnessSize,
  verifyNoteSignatures,
  witnessSizeContentType,
} from "@latchkey/transparency";
import type { Policy, Signatures, Verifier } from "@latchkey/transparency";
import type { HeardTime } from "../clock/clock-guard.ts";
import type { StoredCosignature, UnservedHead } from "../store/directory-store.ts";
import type { WitnessFailure, WitnessState } from "./publisher-state.ts";

/** A witness with the keys that it may cosign with. */
interface Witness {
  readonly url: string;
  readonly keys: readonly Verifier[];
  /** Size of the checkpoint that it cosigned last, as far as this process knows. */
  lastSize: number;
  cosignedMs: number | undefined;
  failure: WitnessFailure | undefined;
}

/** Whose cosignature it is: a key by its name and id. */
export type CosignedBy = Pick<StoredCosignature, "keyName" | "keyId">;

/** What a round with the witnesses gave. */
export interface WitnessRound {
  readonly cosignatures: readonly StoredCosignature[];
  /** Whether every key of every witness has cosigned. */
  readonly isComplete: boolean;
  /** Whether one of them has cosigned a larger log than this: then this one was put back from an old copy. */
  readonly isBehind: boolean;
}

/** Longest that the publishers of a change wait for all witnesses together. */
export const witnessTimeoutMs = 2000;
const maxAnswerBytes = 65_536;

/** How witnesses are reached: `fetch`, or what a test puts in its place. */
export type WitnessFetch = (
  url: string,
  init: { method: "POST"; body: string; signal: AbortSignal; redirect: "error" },
) => Promise<Response>;

/** Asks the witnesses of both policies to cosign checkpoints (C2SP tlog-witness), all at once, each within a bound. */
export class Witnesses {
  readonly #policies: readonly Policy[];
  readonly #witnesses: readonly Witness[];
  readonly #signatures: Signatures;
  readonly #fetch: WitnessFetch;
  readonly #onTimes: (times: readonly HeardTime[]) => void;
  readonly #proveConsistency: (from: number, to: number) => Promise<readonly Uint8Array[]>;

  constructor(params: {
    /** C2SP tlog-policy texts, "" for none: of the log, and of the map. */
    policies: readonly string[];
    signatures: Signatures;
    proveConsistency: (from: number, to: number) => Promise<readonly Uint8Array[]>;
    fetch?: WitnessFetch;
    /** Told when the witnesses of a round, as far as they answered, say that they cosigned: one time each. */
    onTimes?: (times: readonly HeardTime[]) => void;
  }) {
    this.#onTimes = params.onTimes ?? ((): void => undefined);
    this.#policies = params.policies.filter((text) => text !== "").map((text) => parsePolicy(text));
    this.#signatures = params.signatures;
    this.#proveConsistency = params.proveConsistency;
    this.#fetch = params.fetch ?? fetch;
    const byUrl = new Map<string, Verifier[]>();
    for (const { key, url } of this.#policies.flatMap(({ witnesses }) => witnesses)) {
      const known = url === undefined ? undefined : (byUrl.get(url) ?? []);
      if (url === undefined || known === undefined || known.some(({ name, keyId }) => name === key.name && keyId === key.keyId)) continue;
      byUrl.set(url, [...known, key]);
    }
    this.#witnesses = [...byUrl].map(([url, keys]) => ({ url, keys, lastSize: 0, cosignedMs: undefined, failure: undefined }));
  }

  /** Witnesses that can be asked. */
  get count(): number {
    return this.#witnesses.length;
  }

  /** What is known of each, in the order of the policies. */
  get states(): WitnessState[] {
    return this.#witnesses.map(({ cosignedMs, failure }) => ({ cosignedMs, failure }));
  }

  /** What went wrong with which of them when they were asked last, for a log: their places, and words without names. */
  get failures(): { witness: number; cause: WitnessFailure }[] {
    return this.#witnesses.flatMap(({ failure }, at) => (failure === undefined ? [] : [{ witness: at, cause: failure }]));
  }

  /** Whether these keys satisfy both policies; who replayed the map has seen the log as well. */
  isQuorum(cosigned: readonly CosignedBy[]): boolean {
    return this.#policies.every((policy) => {
      const names = policy.witnesses.filter(({ key }) =>
        cosigned.some((one) => (one.keyName === key.name && one.keyId === key.keyId) || one.keyName === mapWitnessName(key.name)),
      );
      return isQuorumMet(
        policy,
        names.map(({ name }) => name),
      );
    });
  }

  /** Whether every key of every witness is among these. */
  isComplete(cosigned: readonly CosignedBy[]): boolean {
    return this.#witnesses.every(({ keys }) =>
      keys.every(({ name, keyId }) => cosigned.some((one) => one.keyName === name && one.keyId === keyId)),
    );
  }

  /** Asks all of them about a head. Never throws: who does not answer in time, or not as it should, has not cosigned. */
  async ask(head: UnservedHead): Promise<WitnessRound> {
    const signal = AbortSignal.timeout(witnessTimeoutMs);
    // At the first answer of this process a witness may have cosigned before what it is asked about, and later for another node.
    const isKnown = this.#witnesses.map(({ lastSize }) => lastSize > 0);
    const asked = await Promise.all(this.#witnesses.map((witness) => this.#askOne(witness, head, signal)));
    const answers = asked.map(({ cosignatures }) => cosignatures);
    const isNew = asked.map(({ fromSize }, at) => isKnown[at] === true && fromSize < head.size);
    this.#onTimes(answers.flatMap(([first], at) => (first === undefined ? [] : [{ timeMs: first.timeMs, isNew: isNew[at] ?? false }])));
    const wanted = this.#witnesses.reduce((sum, { keys }) => sum + keys.length, 0);
    const isBehind = this.#witnesses.some(({ lastSize }) => lastSize > head.size);
    return { cosignatures: answers.flat(), isComplete: answers.flat().length === wanted, isBehind };
  }

  /** `fromSize` is what it had cosigned before, as it saw it itself. */
  async #askOne(
    witness: Witness,
    head: UnservedHead,
    signal: AbortSignal,
  ): Promise<{ readonly cosignatures: StoredCosignature[]; readonly fromSize: number }> {
    witness.failure = undefined;
    let fromSize = 0;
    try {
      // What this process does not know yet, the witness says: then once more.
      for (let attempt = 0; attempt < 2; attempt++) {
        fromSize = Math.min(witness.lastSize, head.size);
        const answer = await this.#post(witness, head, signal);
        if (answer.kind === "cosigned") {
          const verified = await this.#verified(witness, head, answer.lines);
          if (verified.length === 0) witness.failure = "its signature is of another key, or wrong";
          return { cosignatures: verified, fromSize };
        }
        if (answer.kind === "refused") break;
        witness.lastSize = answer.size;
        if (answer.size > head.size) {
          witness.failure = "it has seen a longer log than this one";
          return { cosignatures: [], fromSize };
        }
      }
      witness.failure = "it refused";
    } catch (error) {
      // It is asked again about the next head. `fetch` throws a TypeError for what is out of reach.
      witness.failure = signal.aborted
        ? "it did not answer in time"
        : error instanceof TypeError
          ? "it cannot be reached"
          : "its answer is none of a witness";
    }
    return { cosignatures: [], fromSize };
  }

  async #post(
    witness: Witness,
    head: UnservedHead,
    signal: AbortSignal,
  ): Promise<{ kind: "cosigned"; lines: string } | { kind: "conflict"; size: number } | { kind: "refused" }> {
    const oldSize = Math.min(witness.lastSize, head.size);
    const proof = await this.#proveConsistency(oldSize, head.size);
    const body = encodeAddCheckpoint({ oldSize, proof, note: parseNote(head.note) });
    const response = await this.#fetch(`${witness.url.replace(/\/$/, "")}/add-checkpoint`, {
      method: "POST",
      body,
      signal,
      redirect: "error",
    });
    const answer = await readAtMost(response.body, maxAnswerBytes);
    if (answer === undefined) throw new Error("a witness's answer is too long");
    const text = new TextDecoder().decode(answer);
    if (response.status === 200) return { kind: "cosigned", lines: text };
    const isSize = response.headers.get("content-type")?.split(";")[0]?.trim() === witnessSizeContentType;
    if (response.status === 409 && isSize) return { kind: "conflict", size: parseWitnessSize(text) };
    return { kind: "refused" };
  }

  /** The lines of known keys that verify: others are nobody's business. @throws TransparencyError for malformed lines */
  async #verified(witness: Witness, head: UnservedHead, lines: string): Promise<StoredCosignature[]> {
    const { text } = parseNote(head.note);
    const verified: StoredCosignature[] = [];
    for (const line of parseSignatureLines(lines)) {
      const key = witness.keys.find(({ name, keyId }) => name === line.name && keyId === line.keyId);
      if (key === undefined) continue;
      try {
        const [cosignature] = await verifyNoteSignatures({ text, signatures: [line] }, [key], this.#signatures);
        if (cosignature?.timeSeconds === undefined) continue;
        const { name, keyId, timeSeconds } = cosignature;
        witness.cosignedMs = timeSeconds * 1000;
        verified.push({ keyName: name, keyId, line: formatSignatureLine(line), timeMs: timeSeconds * 1000 });
      } catch (error) {
        if (!(error instanceof TransparencyError)) throw error;
      }
    }
    witness.lastSize = head.size;
    return verified;
  }
}
