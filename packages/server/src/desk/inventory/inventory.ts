import { accountsTables } from "./accounts-tables.ts";
import { deskTables } from "./desk-tables.ts";
import type { Category, FieldEntry, FileEntry, Tables, TiedTo } from "./entry.ts";
import { fields } from "./fields.ts";
import { files } from "./files.ts";
import { logsTables } from "./logs-tables.ts";
import { releaseTables } from "./release-tables.ts";

/** What the server does not hold, in words: of the same table as what it does. */
export const notHeld =
  "Content: not held, the server has no key. Nor does it hold: private keys (but for a recovery phrase sealed under a passphrase, where the person set one), who talks with whom, groups and their members, contact lists, a telephone number, an e-mail address, network addresses, times other than days: but for the public record, whose entries say when they were published, and for seconds, in which a database's journal still shows what it was last asked to write.";

/** Said to everybody, always, so that it says nothing of anybody. */
export const copyKept =
  "A copy of what is held about an account may be kept under an order of an authority, also when the account is deleted, and the server may be forbidden to say so. Everybody is told this, always: it does not say whether there is one.";

/** What is tied to accounts elsewhere than in the package. */
export const heldElsewhere =
  "Where somebody reported the account, the desk of the server has what was reported, while it decides and until nobody may appeal. That is in no package: it holds what others wrote, whose rights stand against it. The account is told what was decided and why. Nor is anything in it of what an authority may have asked: that a copy may be kept is said to everybody instead.";

/** Who may order data of a kind. Not legal advice: the law of the server's country says more. */
export const orderedBy: Readonly<Record<Category, string>> = {
  subscriber:
    "Who has the account. In the European Union a public prosecutor or a court may order it (Regulation (EU) 2023/1543, Art. 4(1)); in the United States a subpoena does (18 USC 2703(c)(2)).",
  identification:
    "What is asked for only to find out who somebody is, such as network addresses: none is held. A public prosecutor or a court may order it (Art. 4(1)).",
  traffic:
    "How and on which days the account was used. In the European Union a court may order it (Art. 4(2)); in the United States an order by a court does (18 USC 2703(d)).",
  content:
    "What people wrote and sent: not held, the server has no key. Only what somebody showed to the desk is there, in its cases. A court may order it (Art. 4(2)); in the United States with a warrant (18 USC 2703(a)).",
  sealed: "Bytes that only people's own devices can open. They may be ordered as content may; the server has no key to them.",
  public: "What everybody may look up without an order.",
  none: "About nobody.",
};

/** All databases, by the name of their file. */
export const databases: Readonly<Record<"accounts.sqlite" | "logs.sqlite" | "desk.sqlite", Tables>> = {
  "accounts.sqlite": accountsTables,
  "logs.sqlite": logsTables,
  "desk.sqlite": { ...deskTables, ...releaseTables },
};

/** What is said of one column of a database. */
export interface InventoryColumn extends FieldEntry {
  readonly database: string;
  readonly table: string;
  readonly column: string;
  readonly tiedTo: TiedTo;
  /** The field of the package that has it; of what is tied to an account there always is one. */
  readonly field?: string;
}

/** Every column of every database, in the order of the tables. */
export const columns: readonly InventoryColumn[] = Object.entries(databases).flatMap(([database, tables]) =>
  Object.entries(tables).flatMap(([table, entry]) =>
    Object.entries(entry.columns).map(([column, text]): InventoryColumn => {
      const place = { database, table, column, tiedTo: entry.tiedTo };
      if (entry.tiedTo !== "account") return { ...place, what: text, why: entry.why, kept: entry.kept, category: entry.category };
      const field = fields[text];
      if (field === undefined) throw new Error(`no field ${text} in the package`);
      return { ...place, field: text, ...field };
    }),
  ),
);

/** The inventory as `GET /v1/inventory` answers with it: the same from every server of this version. */
export const inventoryJson: string = JSON.stringify(
  {
    format: 1,
    not_held: notHeld,
    copy_kept: copyKept,
    held_elsewhere: heldElsewhere,
    categories: orderedBy,
    columns: columns.map(({ database, table, column, tiedTo, field, what, why, kept, category, afterDeletion }) => ({
      database,
      table,
      column,
      tied_to: tiedTo,
      package_field: field ?? null,
      what,
      why,
      kept,
      category,
      after_deletion: tiedTo === "account" ? (afterDeletion ?? "erased") : null,
    })),
    files: files.map(({ path, tiedTo, what, why, kept }: FileEntry) => ({ path, tied_to: tiedTo, what, why, kept })),
  },
  undefined,
  1,
);

/** What the package says of each of its fields: the words of the inventory, and of those that have no column. */
export const explanations: Readonly<Record<string, string>> = {
  host: "The server that wrote this.",
  ...Object.fromEntries(Object.entries(fields).map(([path, entry]) => [path, explain(entry)])),
  updates: "How often the account was changed on the last day that it was.",
  tokens: "How many tokens the account was given on the last day that it asked for some, null where it never did.",
  passphrase: "By what the account can be recovered beside its 24 words; null where the person set none.",
  passphrase_tries: "Tries of that, counted; null where there were none.",
  suspended_since:
    "The day since which the account is suspended on this server; null where that is not so. It then gets no new keys, invitations or name here; its conversations go on.",
  restrictions: "What is taken from the account here, by the operator or by a decision of the desk.",
  usernames: "Names that the account holds or held.",
  states: "Every state of the account, as its devices signed it.",
  devices: "What is kept for each device.",
  "devices[].inbox_size": "How much the inbox has.",
  "devices[].inbox_capability": "By what the inbox knows contacts from strangers; null where it does not.",
  "devices[].inbox_items": "Sealed items that wait for the device. Nothing says who sent them.",
  "devices[].key_packages": "Keys with which others can add the device to a group.",
  directory: "The account's places in the public record.",
  history_backup:
    "The backup of what was said, which is given to the account's devices and opened by its recovery phrase alone; null where none is kept.",
  history_generations: "The writings of that backup: the one that counts, and one that is being made.",
  "history_generations[].chunks": "What each consists of, without the bytes.",
  not_held: notHeld,
  copy_kept: copyKept,
  held_elsewhere: heldElsewhere,
};

function explain({ what, why, kept, category, afterDeletion }: FieldEntry): string {
  const after = afterDeletion === undefined ? "It is erased when the account is deleted." : `When the account is deleted: ${afterDeletion}`;
  return `${what} ${why} Kept: ${kept} ${after} (${category})`;
}
