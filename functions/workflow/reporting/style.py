"""How a report looks: on a phone, on paper, by day and by night. Nothing of it comes from outside the page."""

CSS = """
:root{color-scheme:light dark;--bg:#fff;--card:#f6f7f9;--line:#dfe3e8;--text:#16191d;--soft:#56606b;--red:#b3201f;
--amber:#8f4700;--green:#14692f;--blue:#1749b3;--violet:#6a2fb0;--shade:#b3201f14;--curve:#1749b3;--fill:#1749b31f}
@media screen and (prefers-color-scheme:dark){:root{--bg:#0f1317;--card:#181e24;--line:#2c353e;--text:#e9edf1;
--soft:#a0abb6;--red:#ff9089;--amber:#f6b453;--green:#62d98a;--blue:#8fb6ff;--violet:#cfa8ff;--shade:#ff908922;
--curve:#8fb6ff;--fill:#8fb6ff26}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
overflow-wrap:anywhere}
main{max-width:1120px;margin:0 auto;padding:28px 24px 72px}
h1{font-size:1.6rem;line-height:1.3;margin:.5rem 0 .25rem;font-weight:650;letter-spacing:-.01em;max-width:60rem}
h2{font-size:1.2rem;margin:0 0 .9rem;font-weight:650}
h3{font-size:1rem;margin:0 0 .35rem;font-weight:650}
p{margin:.3rem 0}
a{color:var(--blue)}
section{margin-top:2.6rem;padding-top:1.6rem;border-top:1px solid var(--line)}
.soft{color:var(--soft)}
.small{font-size:.875rem}
.where{color:var(--soft);font-size:.95rem}
.chips{display:flex;flex-wrap:wrap;gap:.4rem;align-items:center;font-size:.875rem}
.chip{border:1.5px solid;border-radius:99px;padding:.05rem .6rem;font-weight:650}
.chip.good,.good{color:var(--green)}
.chip.bad,b.bad,.text-bad{color:var(--red)}
.chip.warn,.warn{color:var(--amber)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.7rem;margin:1.3rem 0 0}
.figure{background:var(--card);border-radius:10px;padding:.7rem .9rem}
.figure b{display:block;font-size:1.2rem;font-weight:650;line-height:1.3;font-variant-numeric:tabular-nums}
.figure span{color:var(--soft);font-size:.85rem}
.next,.brief{margin:1.2rem 0 0;padding:.7rem .9rem;border-left:4px solid var(--amber);background:var(--card);
border-radius:0 10px 10px 0}
.brief{display:grid;grid-template-columns:auto 1fr;gap:.35rem .9rem}
.brief dt{font-weight:650}
.brief dd{margin:0}
nav{margin-top:1.2rem;font-size:.9rem;display:flex;flex-wrap:wrap;gap:.2rem 1rem}
.card{background:var(--card);border-radius:12px;padding:1rem 1.1rem;margin:0 0 1rem}
.card>:last-child{margin-bottom:0}
.effect{font-weight:600}
.two{display:grid;align-items:start;
grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:.4rem 2rem;margin:.7rem 0}
table{border-collapse:collapse;width:100%;font-size:.925rem;font-variant-numeric:tabular-nums}
th{font-weight:400;color:var(--soft);text-align:left;font-size:.85rem}
th,td{padding:.28rem .8rem .28rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td:last-child,th:last-child{padding-right:0}
td:first-child,th{overflow-wrap:break-word;max-width:min(20rem,28vw)}
.two table{table-layout:fixed}
tr:last-child td{border-bottom:0}
.was{color:var(--soft)}
.none{color:var(--soft);font-style:italic}
code,pre{font:.85rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{margin:.35rem 0;padding:.6rem .75rem;background:var(--bg);border:1px solid var(--line);border-radius:8px;
white-space:pre-wrap}
section>pre{background:var(--card)}
ol.time{list-style:none;margin:0;padding:0}
ol.time li{display:grid;grid-template-columns:5.2rem 1.1rem 6.2rem 1fr;gap:0 .5rem;padding:.16rem 0;color:var(--soft);
font-size:.925rem}
ol.time li.loud{color:var(--text)}
ol.time time{font-variant-numeric:tabular-nums}
ol.time .who{color:var(--soft)}
ol.time .day{grid-column:1/-1}
ol.time li.gap{padding-top:.7rem}
.sign{font-weight:700;text-align:center}
.alarm{color:var(--red)}.trouble{color:var(--red)}.action{color:var(--violet)}.recovered{color:var(--green)}
.release{color:var(--amber)}.people{color:var(--blue)}.lease{color:var(--green)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(310px,1fr));gap:1.4rem 1.8rem}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.3rem;margin:0 0 1.1rem;padding:0;list-style:none;font-size:.9rem}
.badge{display:inline-block;min-width:1.25em;height:1.25em;line-height:1.25em;border-radius:99px;text-align:center;
font-size:.8rem;font-weight:700;background:currentColor;margin-right:.35rem}
.badge i{color:var(--bg);font-style:normal}
svg{width:100%;height:auto;display:block}
svg text{fill:var(--soft);font:11px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
svg .name{fill:var(--text);font-size:13px;font-weight:650}
svg .peak{font-size:11.5px}
svg .grid{stroke:var(--line);stroke-width:1}
svg .tickmark{stroke:var(--soft);stroke-width:1}
svg .line{fill:none;stroke:var(--curve);stroke-width:1.8;stroke-linejoin:round}
svg .area{fill:var(--fill)}
svg .dot{fill:var(--curve)}
svg .bad{fill:var(--shade)}
svg .limit{stroke:var(--red);stroke-width:1;stroke-dasharray:4 3}
svg .limit-text{fill:var(--red);font-size:10.5px}
svg .mark line{stroke:currentColor;stroke-width:1.3}
svg .mark circle{fill:currentColor}
svg .mark text{fill:var(--bg);font-size:9.5px;font-weight:700}
svg.bar{display:inline-block;width:4.2rem;height:.5rem;border-radius:9px;background:var(--line);vertical-align:middle;
margin-right:.5rem}
.bar rect{fill:var(--soft)}
.chosen .bar rect{fill:var(--amber)}
h3.below{margin-top:1.2rem}
ul.proof{list-style:none;margin:.3rem 0 0;padding:0;font-size:.925rem}
ul.proof li{padding-left:1.3rem;text-indent:-1.3rem}
ul.proof b{display:inline-block;width:1.3rem;text-indent:0}
.pins{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:.6rem 1rem;margin-top:.6rem}
.log{font-size:.8rem;margin:0;padding:0;list-style:none}
.log li{padding:.1rem 0;border-bottom:1px solid var(--line);
font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.log time,.log .who{color:var(--soft)}
.ask{border-left:3px solid var(--amber);padding:.1rem 0 .1rem .7rem;margin:.35rem 0}
.ask b{color:var(--amber)}
.draft{columns:20rem;column-gap:1rem;margin:1rem 0 0}
.draft .card{break-inside:avoid}
ul.changes{list-style:none;margin:.3rem 0;padding:0}
ul.changes li{display:grid;grid-template-columns:7.5rem 1fr;gap:.6rem;padding:.1rem 0}
.about{color:var(--soft)}
ul.plain{margin:.2rem 0;padding-left:1.15rem}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}
@media (max-width:620px){main{padding:18px 16px 48px}h1{font-size:1.3rem}
.figures{grid-template-columns:repeat(2,minmax(0,1fr))}
ol.time li{grid-template-columns:4.3rem 1rem 1fr}ol.time .who{display:none}
ul.changes li{grid-template-columns:1fr;gap:0;padding:.25rem 0}
section{margin-top:2rem;padding-top:1.2rem}.plots{grid-template-columns:1fr}}
@media print{@page{margin:14mm}body{font-size:10.5pt}main{max-width:none;padding:0}nav{display:none}
.figure,svg,tr,ol.time li,.ask,pre{break-inside:avoid}h2,h3{break-after:avoid}
.plots{grid-template-columns:1fr 1fr}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}a{color:inherit}}
"""
