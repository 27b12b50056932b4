"""The built-in shop: drawn pictures, written texts, and users whose interactions have a known cause."""

from irisrec.data.planted.folder import load_shop
from irisrec.data.planted.options import ShopOptions
from irisrec.data.planted.shop import Shop, make_shop, shop_from

__all__ = ["Shop", "ShopOptions", "load_shop", "make_shop", "shop_from"]
