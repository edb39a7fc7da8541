export { ReportError } from "./errors.ts";
export type { ReportErrorCode } from "./errors.ts";
export * from "./report.ts";
export * from "./notice.ts";
export * from "./answers.ts";
export * from "./seal.ts";
export * from "./mailbox.ts";
