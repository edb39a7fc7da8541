import { parentPort } from "node:worker_threads";
import { passphraseCryptoHere } from "./passphrase-crypto.ts";
import type { PassphraseAnswer, PassphraseQuestion } from "./passphrase-crypto.ts";

if (parentPort === null) throw new Error("the passphrases' thread is started by its service");
const port = parentPort;

async function answer(question: PassphraseQuestion): Promise<PassphraseAnswer> {
  const { id, names } = question;
  switch (question.kind) {
    case "begin": {
      const response = await passphraseCryptoHere.begin(question.secret, names, question.request);
      return response === undefined ? { id } : { id, response };
    }
    case "try": {
      const begun = await passphraseCryptoHere.try(question.secret, names, question.record, question.ke1);
      return begun === undefined ? { id } : { id, begun };
    }
    case "verify":
      return { id, isRight: await passphraseCryptoHere.verify(names, question.state, question.ke3) };
  }
}

port.on("message", (question: PassphraseQuestion) => {
  void answer(question).then((reply) => port.postMessage(reply));
});
