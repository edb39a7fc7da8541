import {
  cosignCheckpoint,
  createVerifier,
  encodeWitnessSize,
  formatSignatureLine,
  formatVkey,
  judgeAddCheckpoint,
  mapWitnessName,
  noteSignatureTypes,
  parseVkey,
  vrfPublicKey,
  witnessSizeContentType,
} from "@latchkey/transparency";
import type { CosignedHead, Verifier } from "@latchkey/transparency";
import type { WitnessOption } from "../directory/bootstrap.ts";
import { nodeSignatures as signatures } from "../directory/signatures.ts";
import type { WitnessFetch } from "../directory/witnesses.ts";
import { random } from "./fixtures.ts";

/** A witness in memory that does what C2SP tlog-witness says, for a log whose key it learns from `trust`. */
export class FakeWitness {
  readonly option: WitnessOption;
  readonly requests: { oldSize: string; status: number }[] = [];
  latest: CosignedHead | undefined;
  /** What it does instead of answering. */
  mood: "honest" | "down" | "hanging" | "busy" | "lying" | "log only" = "honest";
  timeSeconds = 1_000_000;
  readonly #log: { name: string; secretKey: Uint8Array };
  readonly #map: { name: string; secretKey: Uint8Array };
  #keys: readonly Verifier[] = [];

  constructor(name: string) {
    const vkey = (key: { name: string; secretKey: Uint8Array }): string =>
      formatVkey(createVerifier({ name: key.name, type: noteSignatureTypes.cosignatureV1, publicKey: vrfPublicKey(key.secretKey) }));
    this.#log = { name, secretKey: random(32) };
    this.#map = { name: mapWitnessName(name), secretKey: random(32) };
    this.option = { url: `https://${name}/`, logKey: vkey(this.#log), mapKey: vkey(this.#map) };
  }

  trust(...logKeys: readonly string[]): this {
    this.#keys = logKeys.map((key) => parseVkey(key));
    return this;
  }

  async answer(body: string, signal: AbortSignal): Promise<Response> {
    const oldSize = body.split("\n")[0] ?? "";
    const done = (response: Response): Response => {
      this.requests.push({ oldSize, status: response.status });
      return response;
    };
    if (this.mood === "down") throw new TypeError("connection refused");
    if (this.mood === "busy") return done(new Response("", { status: 503 }));
    if (this.mood === "hanging") {
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")));
      });
    }
    const verdict = await judgeAddCheckpoint({ body, logOf: () => ({ keys: this.#keys, latest: this.latest }), signatures });
    if (verdict.kind === "refused") return done(new Response("", { status: verdict.status }));
    if (verdict.kind === "conflict") {
      return done(
        new Response(encodeWitnessSize(verdict.latestSize), { status: 409, headers: { "content-type": witnessSizeContentType } }),
      );
    }
    this.latest = verdict.checkpoint;
    const keys = this.mood === "log only" ? [this.#log] : [this.#log, this.#map];
    const lines = await Promise.all(
      keys.map(({ name, secretKey }) =>
        cosignCheckpoint({
          note: this.mood === "lying" ? { text: verdict.note.text.replace(/\n[0-9]+\n/, "\n9999\n") } : verdict.note,
          name,
          secretKey,
          timeSeconds: this.timeSeconds,
          signatures,
        }),
      ),
    );
    return done(new Response(lines.map(formatSignatureLine).join("")));
  }
}

/** The network that has these witnesses and nothing else. */
export function networkOf(witnesses: readonly FakeWitness[]): WitnessFetch {
  return async (url, { body, signal }) => {
    const witness = witnesses.find(({ option }) => `${option.url}add-checkpoint` === url);
    if (witness === undefined) throw new TypeError("no such host");
    return witness.answer(body, signal);
  };
}
