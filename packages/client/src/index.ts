export type * from "./api.ts";
export { productVersion } from "@latchkey/protocol";
export { createClient } from "./create-client.ts";
export { muteEnd } from "./api/own.ts";
export { receiptOf } from "./api/receipts.ts";
export type { ClientOptions } from "./create-client.ts";
export { ClientError } from "./errors.ts";
export type { Platform, SocketHandlers, SocketLike } from "./platform/platform.ts";
export type { ScanRange, Store, StoreTransaction } from "./store/store.ts";
