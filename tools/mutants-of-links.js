// The part of the catalogue that is about join links (see mutants-catalogue.js).
import { of } from "./mutation.js";

const client = "packages/client/src/join-links";
const server = "packages/server/src";

/** Join links (X-14, I-5): what the log says of them, what a knock is, and who reads an inbox. */
export const linkMutants = [
  ...of(
    `${client}/book.ts`,
    [`${client}/book.test.ts`],
    [
      ["more who are let in than a link is for (X-14)", " || link.admitted.length >= link.maxUses", ""],
      ["somebody who is let in twice (X-14)", "isAdmitted(link, said.tag) || ", ""],
      ["words about a link that is closed (X-14)", 'if (link?.end !== "open") return book;', "if (link === undefined) return book;"],
      ["a link that is opened once more (E-115)", "if (find(book, said.linkId) !== undefined) return book;", ""],
      ["links of who manages no more (E-115)", '(link.end === "open" ? { ...link, end: "inviter_gone" } : link)', "link"],
      ["links without end (E-115)", "open.length > maxOpenLinks && ", "false && "],
      ["a share against what the log said (E-115)", "if (find(book, names.linkId) !== undefined) return book;", ""],
    ],
  ),
  ...of(
    `${client}/knock.ts`,
    [`${client}/knock.test.ts`],
    [
      ["a knock without the link's secret (E-113)", "equalSecrets(mac, expected) ?", "expected.length > 0 ?"],
      ["another item in a link's inbox (E-113)", "item?.head.kind !== inboxItemKinds.knock || ", "item === undefined || "],
      ["a knock of another host (E-113)", " || item.head.senderHost !== host", ""],
    ],
  ),
  ...of(
    `${client}/link-text.ts`,
    [`${client}/link-text.test.ts`],
    [
      ["a link that says two hosts (E-112)", "hostOfUrl(address) !== code.host || ", ""],
      ["a link with another path (E-112)", " || new URL(address).pathname !== joinPath", ""],
    ],
  ),
  ...of(
    `${server}/inboxes/link-inboxes.ts`,
    [`${server}/inboxes/link-inboxes.test.ts`],
    [
      ["knocks for whoever asks (E-111)", "if (!timingSafeEqual(sha256(readKey), inbox.readHash))", "if (false)"],
      ["a link inbox for ever (I-5)", "Math.min(dayOf(notAfterMs), day + maxLifeDays)", "dayOf(notAfterMs)"],
      ["a link inbox that is over already (I-5)", "if (lastDay < day) throw", "if (lastDay < 0) throw"],
    ],
  ),
  ...of(
    `${server}/store/sql/link-tables.ts`,
    [`${server}/inboxes/link-inboxes.test.ts`],
    [
      ["knocks without end (E-111)", "count >= maxKnocks || ", ""],
      ["link inboxes without end (E-111)", "if (count >= maxLinks)", "if (false)"],
      ["a link inbox that another one opens (E-111)", "equalBytes(known.readHash, readHash) && ", ""],
    ],
  ),
];
