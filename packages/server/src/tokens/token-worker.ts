import { parentPort } from "node:worker_threads";
import { tokenCryptoHere } from "./token-crypto.ts";
import type { TokenAnswer, TokenQuestion } from "./token-crypto.ts";

if (parentPort === null) throw new Error("the tokens' thread is started by its service");
const port = parentPort;

async function answer(question: TokenQuestion): Promise<TokenAnswer> {
  const { id } = question;
  switch (question.kind) {
    case "keys":
      return { id, keys: await tokenCryptoHere.keyPair(question.seed) };
    case "issue": {
      const evaluated = await tokenCryptoHere.issue(question.secretKey, question.blinded);
      return evaluated === undefined ? { id } : { id, evaluated };
    }
    case "secret":
      return { id, secret: await tokenCryptoHere.secret(question.secretKey, question.input) };
  }
}

port.on("message", (question: TokenQuestion) => {
  void answer(question).then((reply) => port.postMessage(reply));
});
