import { vrfProofToHash } from "@latchkey/transparency";
import type { VrfProver } from "@latchkey/transparency";
import { parentPort } from "node:worker_threads";
import { sodiumVrfProver } from "./vrf-prover.ts";
import type { VrfAnswer, VrfQuestion } from "./vrf-service.ts";

if (parentPort === null) throw new Error("the VRF's thread is started by its service");
const port = parentPort;
const provers = new Map<string, Promise<VrfProver>>();

async function answer({ id, secretKey, alphas }: VrfQuestion): Promise<VrfAnswer> {
  const key = Buffer.from(secretKey).toString("latin1");
  let prover = provers.get(key);
  if (prover === undefined) {
    prover = sodiumVrfProver(secretKey);
    provers.set(key, prover);
  }
  const { prove } = await prover;
  return {
    id,
    proofs: alphas.map((alpha) => {
      const proof = prove(alpha);
      return { proof, beta: vrfProofToHash(proof) };
    }),
  };
}

port.on("message", (question: VrfQuestion) => {
  void answer(question).then((reply) => port.postMessage(reply));
});
