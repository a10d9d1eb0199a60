// MathJax as this book uses it: TeX in, HTML and hidden MathML out, no menu and no loader.
// MathJax's own smallest set of files weighs 760 kB a page; this one is 420 kB. README.txt: how to make it.
import {mathjax} from 'mathjax-full/ts/mathjax.js';
import {TeX} from 'mathjax-full/ts/input/tex.js';
import {CHTML} from 'mathjax-full/ts/output/chtml.js';
import {browserAdaptor} from 'mathjax-full/ts/adaptors/browserAdaptor.js';
import {RegisterHTMLHandler} from 'mathjax-full/ts/handlers/html.js';
import {AssistiveMmlHandler} from 'mathjax-full/ts/a11y/assistive-mml.js';
import 'mathjax-full/ts/input/tex/base/BaseConfiguration.js';
import 'mathjax-full/ts/input/tex/ams/AmsConfiguration.js';
import 'mathjax-full/ts/input/tex/newcommand/NewcommandConfiguration.js';
import 'mathjax-full/ts/input/tex/boldsymbol/BoldsymbolConfiguration.js';

// Sphinx writes `window.MathJax = {...}` before this script: what to look at on the page.
const settings = (window as any).MathJax ?? {};
const fonts = new URL('fonts', (document.currentScript as HTMLScriptElement).src).href;

AssistiveMmlHandler(RegisterHTMLHandler(browserAdaptor()));
const page = mathjax.document(document, {
  ...settings.options,
  InputJax: new TeX({...settings.tex, packages: ['base', 'ams', 'newcommand', 'boldsymbol']}),
  OutputJax: new CHTML({fontURL: fonts, ...settings.chtml}),
});
page.render();
(window as any).MathJax = {...settings, document: page, version: mathjax.version};
