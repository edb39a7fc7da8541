import { startApp } from "./start.tsx";
import { connectClient } from "./worker/connect.ts";

startApp(connectClient());
