import { describeBus } from "../testing/bus-suite.ts";
import { LocalHub } from "./local-bus.ts";

describeBus("in one process", (nodes, bugs) => {
  const hub = new LocalHub();
  return Promise.resolve(Array.from({ length: nodes }, () => hub.join(bugs)));
});
