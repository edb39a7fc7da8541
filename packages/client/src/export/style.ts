/** How an exported page looks, on paper too. Its hash stands in the page's policy: nothing else styles it. */
export const pageStyle = `
:root{color-scheme:light dark;--ink:#1f1b16;--soft:#574f45;--paper:#f3eee6;--bubble:#fff;--own:#cfe5df;--line:#e3dbce;--accent:#0f5c59}
@media (prefers-color-scheme:dark){:root{--ink:#ece6dc;--soft:#b9b0a2;--paper:#191713;--bubble:#26231e;--own:#1d3d39;--line:#3a352d;--accent:#7fcac2}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
main{max-width:720px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:1.7em;margin:0 0 4px}
h2{font-size:1.25em;margin:48px 0 8px;padding-top:16px;border-top:1px solid var(--line)}
h3{font-size:.87em;color:var(--soft);text-align:center;margin:24px 0 8px}
a{color:var(--accent)}
article{max-width:85%;width:fit-content;margin:4px 0;padding:8px 12px;background:var(--bubble);border-radius:12px;content-visibility:auto;contain-intrinsic-size:auto 64px;break-inside:avoid}
article.own{margin-inline-start:auto;background:var(--own)}
header{font-size:.87em}
time,.note,i,figcaption{color:var(--soft);font-size:.87em;font-variant-numeric:tabular-nums}
.text{margin:2px 0 0;white-space:pre-wrap;overflow-wrap:anywhere}
.event{text-align:center;color:var(--soft);font-size:.87em;margin:8px 0;overflow-wrap:anywhere}
.reactions,article .note{margin:4px 0 0}
blockquote{margin:4px 0;padding-inline-start:8px;border-inline-start:3px solid var(--accent);white-space:pre-wrap;overflow-wrap:anywhere}
figure{margin:4px 0}
img,video{display:block;max-width:100%;max-height:420px;border-radius:8px}
audio{max-width:100%}
figcaption,h2,nav{overflow-wrap:anywhere}
`;
