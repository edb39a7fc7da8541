export { startInProcessServer } from "./in-process-server.ts";
export type { InProcessServer, InProcessWorld } from "./in-process-server.ts";
