import { randomBytes } from "node:crypto";
import { equalBytes } from "@latchkey/codec";
import { blindInput, finishBatch } from "@latchkey/client/testing";
import { maxTokenBatch } from "@latchkey/protocol";
import { tokenAuthenticator, tokenInput } from "@latchkey/protocol/tokens";
import { sodiumVoprf } from "@latchkey/server/testing";
import type { Scenario } from "../scenario.ts";
import { summarize } from "../statistics.ts";

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size));
/** Elements that a client blinds in one go. */
const slice = 10;

/** What a batch of tokens costs both sides, and a token its server: CPU of the product's own functions, on one thread. */
export const tokens: Scenario = {
  name: "tokens",
  summary: "CPU of giving out 100 tokens, of taking one, and of a client that gets 100",
  async run({ isQuick }) {
    const rounds = isQuick ? 3 : 20;
    const voprf = await sodiumVoprf();
    const { secretKey, publicKey } = voprf.deriveKeyPair(random(32), new Uint8Array());
    const [issue, redeem, blind, finish, longest]: number[][] = [[], [], [], [], []];
    for (let round = -1; round < rounds; round++) {
      const nonces = Array.from({ length: maxTokenBatch }, () => random(32));
      const inputs = nonces.map((nonce) => tokenInput("logs", nonce));
      const slices: number[] = [];
      const blinded = [];
      for (let at = 0; at < inputs.length; at += slice) {
        const startedMs = cpuMs();
        for (const input of inputs.slice(at, at + slice)) blinded.push(blindInput(input, random));
        slices.push(cpuMs() - startedMs);
      }
      const issuedMs = cpuMs();
      const evaluated = voprf.evaluateBatch(
        secretKey,
        blinded.map((item) => item.blinded),
        random(64),
      );
      const finishedMs = cpuMs();
      if (evaluated === undefined) throw new Error("a batch that a client blinded is evaluated");
      const secrets = finishBatch({ blinded, evaluated: evaluated.elements, publicKey, proof: evaluated.proof });
      const verifiedMs = cpuMs();
      const use = { redeemingHost: "latchkey.example", operation: "create_log", target: random(32) } as const;
      const taken = inputs.map((input) => tokenAuthenticator(voprf.evaluate(secretKey, input), use));
      const takenMs = cpuMs();
      const isRight = taken.every((tag, i) => equalBytes(tag, tokenAuthenticator(secrets?.[i] ?? random(64), use)));
      if (!isRight) throw new Error("what the client got is not what the server takes");
      // The first round compiles.
      if (round < 0) continue;
      issue?.push(finishedMs - issuedMs);
      finish?.push(verifiedMs - finishedMs);
      redeem?.push((takenMs - verifiedMs) / maxTokenBatch);
      blind?.push(slices.reduce((sum, ms) => sum + ms, 0));
      longest?.push(Math.max(...slices));
    }
    const unit = "CPU ms";
    return {
      parameters: { batch: maxTokenBatch, rounds, slice },
      figures: [
        { name: "server: 100 tokens given out, with one proof", unit, target: 100, ...summarize(issue ?? []) },
        { name: "server: a token taken", unit, target: 0.5, ...summarize(redeem ?? []) },
        { name: "client: 100 blinded", unit, ...summarize(blind ?? []) },
        { name: "client: the longest slice of 10 of them", unit, target: 50, ...summarize(longest ?? []) },
        { name: "client: 100 verified and finished", unit, ...summarize(finish ?? []) },
        {
          name: "client: a batch of 100",
          unit,
          target: 1200,
          ...summarize((blind ?? []).map((ms, i) => ms + (finish?.[i] ?? 0))),
        },
      ],
    };
  },
};

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
