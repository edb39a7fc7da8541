import { webCrypto } from "@latchkey/mls/web";
import { TransparencyError, decodeDirectoryProof, verifyLookup } from "@latchkey/transparency";
import type { Signatures } from "@latchkey/transparency";
import { createMemoryDirectory, createPerson } from "@latchkey/transparency/testing";

/** What the page measured. */
export interface DirectoryOutcome {
  /** Milliseconds of each verification of a first contact. */
  readonly times: readonly number[];
  readonly proofBytes: number;
  /** Codes with which forged answers were refused. */
  readonly refusals: readonly (string | undefined)[];
}

declare global {
  var verifyDirectory: () => Promise<DirectoryOutcome>;
}

const suite = webCrypto.suite(0x0001);
const signatures: Signatures = {
  sign: (key, message) => suite.sign(key, message),
  verify: (key, message, signature) => suite.verify(key, message, signature),
};

/** Runs in a page: a directory of 10,000 labels with 3 witnesses, and first contacts with people of it. */
globalThis.verifyDirectory = async () => {
  const directory = await createMemoryDirectory({ witnesses: 3, threshold: 2 });
  await directory.publishFiller(10_000);
  const people = await Promise.all(Array.from({ length: 12 }, async (_, i) => await createPerson(`person${String(i)}`)));
  await directory.publish(people.flatMap((person) => person.changes));
  const verify = async (username: string, record: Awaited<ReturnType<typeof directory.lookup>>): Promise<void> => {
    await verifyLookup({
      proof: decodeDirectoryProof(record.proof),
      host: directory.host,
      view: undefined,
      config: directory.config,
      query: { username },
      record,
      nowMs: directory.nowMs(),
      signatures,
    });
  };
  const times: number[] = [];
  const refusals: (string | undefined)[] = [];
  let proofBytes = 0;
  for (const person of people) {
    const answer = await directory.lookup(person, { isTrimmed: true });
    proofBytes = answer.proof.length;
    const started = performance.now();
    await verify(person.username, answer);
    times.push(performance.now() - started);
    const alone = await directory.lookup(person, { log: [1], map: [1] });
    const forged = { ...answer, states: [await person.nextState()] };
    for (const lie of [alone, forged]) {
      refusals.push(
        await verify(person.username, lie).then(
          () => undefined,
          (error: unknown) => (error instanceof TransparencyError ? error.code : String(error)),
        ),
      );
    }
  }
  return { times, proofBytes, refusals };
};
