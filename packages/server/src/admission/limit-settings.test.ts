import { expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import { ServerError } from "../errors.ts";
import { limitNames, withSettings } from "./limit-settings.ts";

test("every limit can be set by its name, to what it takes", () => {
  for (const [name, value] of limitNames()) {
    const text = typeof value === "number" ? "7" : "9/0.5";
    const changed = limitNames(withSettings(defaultLimits, [`${name}=${text}`]));
    expect(changed.get(name), name).toEqual(typeof value === "number" ? 7 : { burst: 9, perSecond: 0.5 });
    for (const [other, before] of limitNames()) if (other !== name) expect(changed.get(other)).toEqual(before);
  }
  const two = withSettings(defaultLimits, ["maxConnections=10", "rates.createLog= 5/1 "]);
  expect([two.maxConnections, two.rates.createLog]).toEqual([10, { burst: 5, perSecond: 1 }]);
});

test("0 takes away the reserve, the bound of the databases and tokens; any other limit of 0, a longer time than timers run, and more than frames hold are refused", () => {
  for (const [name, value] of limitNames()) {
    const isBound = ![
      "minFreeBytes",
      "maxDatabasePages",
      "maxStoredBlobBytes",
      "maxHistoryBytes",
      "maxStoredHistoryBytes",
      "tokensPerDay",
    ].includes(name);
    for (const text of typeof value === "number" ? ["0"] : ["0/1", "1/0", "1/0.000"]) {
      if (isBound) expect(() => withSettings(defaultLimits, [`${name}=${text}`]), name).toThrow(ServerError);
      else expect(limitNames(withSettings(defaultLimits, [`${name}=${text}`])).get(name), name).toBe(0);
    }
    if (name.endsWith("Ms")) expect(() => withSettings(defaultLimits, [`${name}=2147483648`]), name).toThrow(ServerError);
  }
  for (const setting of ["maxBlobBytes=104857601", "maxFileBytes=2214592513", "maxOneTimeKeyPackages=101"])
    expect(() => withSettings(defaultLimits, [setting]), setting).toThrow(ServerError);
});

test("what is no limit, or no value of it, is refused in one sentence that names it", () => {
  for (const setting of ["", "x", "constructor=1", "rates=1", "rates.x=1/1", "maxConnections", "maxConnections=", "maxConnections=-1"])
    expect(() => withSettings(defaultLimits, [setting]), setting).toThrow(ServerError);
  for (const setting of ["maxConnections=1.5", "maxConnections=1=2", "rates.createLog=1", "rates.createLog=0/1", "rates.createLog=1/x"])
    expect(() => withSettings(defaultLimits, [setting]), setting).toThrow(ServerError);
});
