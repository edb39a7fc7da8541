export { defaultLimits } from "./config.ts";
export type { LogLevel, Rate, Registration, ServerLimits, ServerOptions } from "./config.ts";
export type { DirectoryOptions, WitnessOption } from "./directory/bootstrap.ts";
export { ServerError } from "./errors.ts";
export type { ServerErrorCode } from "./errors.ts";
export { startServer } from "./server.ts";
export type { RunningServer } from "./server.ts";
