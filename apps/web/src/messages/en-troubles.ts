export { alarms } from "./en-alarms.ts";
export { failures } from "./en-failures.ts";
