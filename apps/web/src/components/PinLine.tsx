import { useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { previewOf } from "../state/preview.ts";
import { Icon } from "./Icon.tsx";

/** Under the head of a conversation: its pinned messages, one at a time; each press shows one and goes on to the next. */
export function PinLine({ id }: { readonly id: string }): ReactElement | undefined {
  const { controller, notify } = useApp();
  const act = useAction();
  const pins = useSelector((state) => state.pins.get(id));
  const mayPin = useSelector((state) => state.details.get(id)?.may.pin) === true;
  const [place, setPlace] = useState(0);
  if (pins === undefined || pins.length === 0) return undefined;
  const at = place % pins.length;
  const message = pins[at];
  if (message === undefined) return undefined;
  const text = previewOf(message);
  const show = async (): Promise<void> => {
    setPlace(at + 1);
    if (!(await controller.reveal(id, message.id))) notify(t("menu.notHere"));
  };
  return (
    <section className="pin-line" aria-label={t("menu.pins.region")}>
      <Icon name="pin" size={18} />
      <button type="button" className="pin-line-show" aria-label={t("menu.pins.show", { text })} onClick={() => void act(show)}>
        <strong>
          {t("menu.pins.pinned")}
          {pins.length > 1 && <small> {t("menu.pins.next", { place: at + 1, of: pins.length })}</small>}
        </strong>
        <span dir="auto">{text}</span>
      </button>
      {mayPin && (
        <button
          type="button"
          className="icon-button"
          aria-label={t("menu.pins.unpin")}
          title={t("menu.pins.unpin")}
          onClick={() => void act(() => controller.client.pin(id, message.id, "never"))}
        >
          <Icon name="close" size={18} />
        </button>
      )}
    </section>
  );
}
