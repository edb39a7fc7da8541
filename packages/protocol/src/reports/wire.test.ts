import { describeCodec } from "@latchkey/testkit";
import { describe } from "vitest";
import { answersReplyCodec, answersRequestCodec, deskKeysCodec, reportAcceptedCodec, sealedReportCodec } from "./wire.ts";
import type { SealedReport } from "./wire.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const id16 = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
const zeros = (size: number): Uint8Array => new Uint8Array(size);
const none = new Uint8Array(0);

const attachment = { hash: id(4), sizeBytes: 4096 };
const sealed: SealedReport = {
  format: 1,
  reportId: id16(1),
  token: none,
  kemOutput: id(2),
  ciphertext: id(3),
  attachments: [attachment],
  ext: none,
};

describe("[V-1] what goes through the desk's door is bounded and has one encoding", () => {
  describeCodec("deskKeysCodec", deskKeysCodec, {
    samples: [{ format: 1, encryptionKey: id(1), signatureKey: id(2), ext: none }],
    frozen:
      "0001200101010101010101010101010101010101010101010101010101010101010101020202020202020202020202020202020202020202020202020202020202020200",
    overLimit: {
      "no encryption key": { format: 1, encryptionKey: none, signatureKey: id(2), ext: none },
      "a signature key of 31 bytes": { format: 1, encryptionKey: id(1), signatureKey: zeros(31), ext: none },
    },
  });

  describeCodec("sealedReportCodec", sealedReportCodec, {
    samples: [sealed, { ...sealed, token: id(9), attachments: [] }],
    frozen:
      "000101010101010101010101010101010101002002020202020202020202020202020202020202020202020202020202020202022003030303030303030303030303030303030303030303030303030303030303032404040404040404040404040404040404040404040404040404040404040404040000100000",
    overLimit: {
      "a report above 1 MiB": { ...sealed, ciphertext: zeros(1_048_576) },
      "no ciphertext": { ...sealed, ciphertext: none },
      "eleven attachments": { ...sealed, attachments: Array.from({ length: 11 }, () => attachment) },
    },
  });

  describeCodec("reportAcceptedCodec", reportAcceptedCodec, {
    samples: [{ format: 1, receipt: id(1), missing: [id(2)] }],
    frozen:
      "0001200101010101010101010101010101010101010101010101010101010101010101200202020202020202020202020202020202020202020202020202020202020202",
    overLimit: { "no receipt": { format: 1, receipt: none, missing: [] } },
  });

  describeCodec("answersRequestCodec", answersRequestCodec, {
    samples: [{ format: 1, mailboxes: [{ mailbox: id(1), from: 3 }] }],
    frozen: "000124010101010101010101010101010101010101010101010101010101010101010100000003",
    overLimit: {
      "no mailbox": { format: 1, mailboxes: [] },
      "33 mailboxes": { format: 1, mailboxes: Array.from({ length: 33 }, () => ({ mailbox: id(1), from: 0 })) },
    },
  });

  describeCodec("answersReplyCodec", answersReplyCodec, {
    samples: [{ format: 1, mailboxes: [{ answers: [id(1)] }, { answers: [] }] }],
    frozen: "0001232120010101010101010101010101010101010101010101010101010101010101010100",
    overLimit: { "33 answers in a mailbox": { format: 1, mailboxes: [{ answers: Array.from({ length: 33 }, () => id(1)) }] } },
  });
});
