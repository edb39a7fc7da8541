import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { listFilters } from "../state/list-filter.ts";
import type { ListFilter } from "../state/list-filter.ts";

/** Which conversations are shown: one of a few, by the arrow keys or a press. */
export function ListFilters({
  filter,
  choose,
}: {
  readonly filter: ListFilter;
  readonly choose: (filter: ListFilter) => void;
}): ReactElement {
  return (
    <fieldset className="list-filters">
      <legend className="visually-hidden">{t("list.filters")}</legend>
      {listFilters.map((one) => (
        <label key={one} className="list-filter">
          <input type="radio" name="list-filter" className="visually-hidden" checked={one === filter} onChange={() => choose(one)} />
          {t(`list.filter.${one}`)}
        </label>
      ))}
    </fieldset>
  );
}
