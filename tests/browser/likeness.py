"""How much two pictures differ where they differ most, so that one broken mark counts and a smoother edge does not."""

from itertools import product

import numpy as np
from PIL import Image, ImageFilter

# Found by experiment, in levels of grey: letters without subpixel positions or a pixel off differ by up to 13; tone
# marks that are missing by 65, a broken sara am by 54, another font by 120 and more.
TOLERATED = 25
_BLUR = 1.5  # px: how an edge is smoothed differs between builds of a browser
_TILE = 8  # px: about a mark of Thai in small print
_SHIFTS = tuple(product((-1, 0, 1), repeat=2))  # px: a letter may stand a little off


def difference(first: Image.Image, second: Image.Image) -> float:
    """Return by how many levels of grey (0 to 255) the most different tiles differ on average.

    Of each tile the best of the small shifts counts. Pictures of different sizes differ wholly.
    """
    if first.size != second.size:
        return 255.0
    one, other = _grey(first), _grey(second)
    by_shift = [_tiles(np.abs(one - np.roll(other, shift, axis=(0, 1)))) for shift in _SHIFTS]
    return float(np.min(by_shift, axis=0).max())


def _grey(picture: Image.Image) -> np.ndarray:
    blurred = picture.convert("RGB").convert("L").filter(ImageFilter.GaussianBlur(_BLUR))
    return np.asarray(blurred, dtype=float)


def _tiles(values: np.ndarray) -> np.ndarray:
    height, width = (side // _TILE for side in values.shape)
    whole = values[: height * _TILE, : width * _TILE]
    return whole.reshape(height, _TILE, width, _TILE).mean(axis=(1, 3))
