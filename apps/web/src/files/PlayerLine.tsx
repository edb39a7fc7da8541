import "../styles/files.css";
import type { ReactElement } from "react";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useApp, useSelector } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { playerOf } from "./player.ts";
import { usePlayer } from "./SoundPlayer.tsx";
import { formatLength } from "./transfer.ts";

/** What is played goes on where its conversation is left: a line with it, which leads back. */
export function PlayerLine(): ReactElement | undefined {
  const { controller, router } = useApp();
  const openId = useSelector((state) => state.openId);
  const player = playerOf(controller);
  const { current } = usePlayer();
  // What was imported is played on its own page alone.
  if (current === undefined || current.message.imported !== undefined || current.message.conversationId === openId) return undefined;
  const { message, file, isPlaying, at, length } = current;
  const who = message.author === undefined ? "" : message.author.isSelf ? t("common.you") : nameOf(message.author);
  return (
    <section className="player-line" aria-label={t(`files.kind.${file.kind}`)}>
      <button
        type="button"
        className="icon-button"
        aria-label={isPlaying ? t("files.pause") : t("files.play")}
        onClick={() => player.toggle(message, file)}
      >
        <Icon name={isPlaying ? "pause" : "play"} size={20} />
      </button>
      <button
        type="button"
        className="player-line-to"
        onClick={() => router.go({ kind: "conversation", id: message.conversationId, details: false })}
      >
        <bdi>{who}</bdi>
        <span className="tabular">
          {formatLength(at)} / {formatLength(length)}
        </span>
      </button>
      <button type="button" className="icon-button" aria-label={t("common.close")} onClick={() => player.end()}>
        <Icon name="close" size={20} />
      </button>
    </section>
  );
}
