"""companion.explorer: figures with controls that work with a kernel and, on a finished page, without one.

- `Explorer`, `Slider`, `Choice`: a function that draws, the inputs that it takes, and a sentence that reads the picture.
- `say`: a number as a reader should see it.
- `plotting`: how figures look, in colours that follow the page.

``widget.js`` and ``widget.css`` are the view, in Jupyter as on a page; ``host.js`` stands in for Jupyter on a page.
"""

from companion.explorer import plotting as plotting
from companion.explorer.controls import Choice as Choice
from companion.explorer.controls import Control as Control
from companion.explorer.controls import Slider as Slider
from companion.explorer.controls import say as say
from companion.explorer.explorer import MAX_STATIC_FRAMES as MAX_STATIC_FRAMES
from companion.explorer.explorer import Explorer as Explorer
