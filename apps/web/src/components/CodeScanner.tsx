import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { createCodeReader, openCamera } from "../state/scan.ts";
import type { CameraProblem } from "../state/scan.ts";

const scanEveryMs = 120;

/** The camera's picture, until it has seen a code. The camera is on only while this is on the screen. */
export function CodeScanner({
  found,
  close,
}: {
  /** Gets every code that is read, once for each text; the same one is not told twice in a row. */
  readonly found: (text: string) => void;
  readonly close: () => void;
}): ReactElement {
  const videoRef = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<"asking" | "running" | CameraProblem>("asking");
  const tell = useRef(found);
  tell.current = found;

  useEffect(() => {
    let isGone = false;
    let stream: MediaStream | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = async (): Promise<void> => {
      const [opened, read] = await Promise.all([openCamera(), createCodeReader()]);
      if (typeof opened === "string") {
        if (!isGone) setState(opened);
        return;
      }
      stream = opened;
      const video = videoRef.current;
      if (isGone || video === null) {
        stopStream(stream);
        return;
      }
      video.srcObject = stream;
      await video.play();
      setState("running");
      let last: string | undefined;
      const look = async (): Promise<void> => {
        const text = await read(video);
        if (isGone) return;
        if (text !== undefined && text !== last) {
          last = text;
          tell.current(text);
        }
        timer = setTimeout(() => void look().catch(() => setState("unavailable")), scanEveryMs);
      };
      await look();
    };
    run().catch(() => isGone || setState("unavailable"));
    return () => {
      isGone = true;
      clearTimeout(timer);
      if (stream !== undefined) stopStream(stream);
    };
  }, []);

  const isOn = state === "asking" || state === "running";
  return (
    <div className="scanner">
      {isOn && (
        <div className="scanner-frame">
          {/* The person's own camera: there is no sound in it to caption. */}
          <video ref={videoRef} className="scanner-video" playsInline muted aria-label={t("scanner.label")} />
          <span className="scanner-target" aria-hidden="true" />
        </div>
      )}
      <p role="status" className={isOn ? "section-hint" : "notice"}>
        {state === "running" ? t("scanner.aim") : t(`scanner.${state}`)}
      </p>
      <button type="button" className="button button-wide" onClick={close}>
        {isOn ? t("scanner.stop") : t("link.cancel")}
      </button>
    </div>
  );
}

function stopStream(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
