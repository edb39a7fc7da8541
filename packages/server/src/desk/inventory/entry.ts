/** The kinds of data that an order may ask for, as Regulation (EU) 2023/1543 Art. 3 has them, and those that it does not. */
export type Category = "subscriber" | "identification" | "traffic" | "content" | "sealed" | "public" | "none";

/** What is said of anything that is kept. */
export interface Kept {
  /** What it is. */
  readonly what: string;
  /** Why it is kept. */
  readonly why: string;
  /** How long. */
  readonly kept: string;
  readonly category: Category;
}

/** What is said of a field of the package. */
export interface FieldEntry extends Kept {
  /** What of it is there once the account is deleted; `undefined` where nothing is. */
  readonly afterDeletion?: string;
}

/**
 * Whose the rows of a table are. Only `account` can be tied to one by what the server has; of those each column is a field of the package.
 * `desk` are the desk's own files, which name the account that a case is about: `why` says why they are in no package.
 */
export type TiedTo = "account" | "desk" | "staff" | "conversation" | "link" | "everybody" | "nobody";

/** A table whose rows are of accounts: each column with the field of the package that has what it says. */
export interface AccountTable {
  readonly tiedTo: "account";
  readonly columns: Readonly<Record<string, string>>;
}

/** Any other table: one reason for all of it, and what each column is. */
export interface OtherTable {
  readonly tiedTo: Exclude<TiedTo, "account">;
  readonly why: string;
  readonly kept: string;
  readonly category: Category;
  readonly columns: Readonly<Record<string, string>>;
}

/** A database's tables by their names. */
export type Tables = Readonly<Record<string, AccountTable | OtherTable>>;

/** A file, or a kind of file, by a pattern of its path from the data folder, or by where else it is. */
export interface FileEntry extends Omit<Kept, "category"> {
  readonly path: string;
  /** Which paths in the data folder are this one; absent for what lies elsewhere. */
  readonly pattern?: RegExp;
  readonly tiedTo: TiedTo;
}
