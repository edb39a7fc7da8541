import { AdminError } from "./errors.ts";
import type { AdminCommands, Params } from "./params.ts";
import { settingBounds } from "./rules.ts";
import type { QuotaName, Rules } from "./rules.ts";

const names = Object.keys(settingBounds);

/** `quota`: shows the operator's bounds, or sets one; 0 is none. */
export function quotaCommands({ rules }: { rules: Rules }): AdminCommands {
  return {
    async quota(params: Params) {
      const name = params.text("name", { maxLength: 40 });
      if (name !== undefined) {
        if (!isQuota(name)) throw new AdminError("usage", `A quota is one of ${names.join(", ")}.`);
        const value = params.whole("value", settingBounds[name]);
        if (value === undefined) throw new AdminError("usage", "A quota is set to a whole number; 0 is no bound.");
        params.end();
        await rules.setQuota(name, value);
      }
      params.end();
      return { quotas: Object.fromEntries(names.filter(isQuota).map((one) => [one, rules.quota(one)])) };
    },
  };
}

function isQuota(name: string): name is QuotaName {
  return Object.hasOwn(settingBounds, name);
}
