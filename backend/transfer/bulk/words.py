"""What large invented shops are made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Department:
    """A root category: its groups with the kinds of product in each, prices in cents, and what its variants vary in."""

    name: str
    groups: dict[str, tuple[str, ...]]
    prices: tuple[int, int]
    option: str
    values: tuple[str, ...]
    materials: tuple[str, ...]


_SIZES = ("XS", "S", "M", "L", "XL", "XXL")
DEPARTMENTS = (
    Department(
        "Clothing",
        {
            "Tops": ("T-Shirt", "Polo Shirt", "Blouse", "Henley", "Tank Top", "Flannel Shirt"),
            "Knitwear": ("Sweater", "Cardigan", "Turtleneck", "Knitted Vest"),
            "Outerwear": ("Rain Jacket", "Parka", "Down Vest", "Trench Coat", "Bomber Jacket"),
            "Trousers": ("Chinos", "Jeans", "Joggers", "Corduroy Trousers", "Shorts"),
        },
        (1900, 24900),
        "Size",
        _SIZES,
        ("Cotton", "Linen", "Merino", "Hemp", "Denim", "Recycled Wool"),
    ),
    Department(
        "Shoes",
        {
            "Sneakers": ("Court Sneaker", "Runner", "High Top", "Slip-On"),
            "Boots": ("Chelsea Boot", "Hiking Boot", "Desert Boot"),
            "Sandals": ("Slide", "Trail Sandal", "Clog"),
        },
        (3900, 28900),
        "Size",
        ("36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46"),
        ("Leather", "Suede", "Canvas", "Cork", "Felt"),
    ),
    Department(
        "Home",
        {
            "Lighting": ("Table Lamp", "Floor Lamp", "Pendant", "Wall Light", "Lantern"),
            "Textiles": ("Cushion", "Blanket", "Rug", "Curtain", "Bed Linen"),
            "Decoration": ("Vase", "Candle Holder", "Wall Clock", "Mirror", "Picture Frame"),
            "Storage": ("Basket", "Storage Box", "Coat Rack", "Wall Shelf"),
        },
        (900, 39900),
        "Finish",
        ("Natural", "Matte", "Glossy", "Brushed", "Smoked", "Aged"),
        ("Oak", "Brass", "Linen", "Rattan", "Ceramic", "Glass", "Wool"),
    ),
    Department(
        "Furniture",
        {
            "Seating": ("Armchair", "Dining Chair", "Bench", "Stool", "Sofa"),
            "Tables": ("Side Table", "Dining Table", "Desk", "Coffee Table"),
            "Bedroom": ("Bed Frame", "Nightstand", "Wardrobe", "Dresser"),
        },
        (7900, 249900),
        "Finish",
        ("Natural", "White Oiled", "Walnut Stain", "Black", "Soaped"),
        ("Oak", "Ash", "Walnut", "Beech", "Steel", "Birch"),
    ),
    Department(
        "Kitchen",
        {
            "Cookware": ("Frying Pan", "Saucepan", "Dutch Oven", "Wok", "Roasting Tin"),
            "Tableware": ("Dinner Plate", "Bowl", "Serving Platter", "Tumbler", "Cutlery Set"),
            "Coffee & Tea": ("Mug", "Teapot", "Coffee Grinder", "Dripper", "French Press"),
            "Tools": ("Chef's Knife", "Cutting Board", "Whisk", "Rolling Pin", "Colander"),
        },
        (600, 27900),
        "Size",
        ("Small", "Medium", "Large", "Extra Large", "Set of 2", "Set of 4"),
        ("Stoneware", "Cast Iron", "Copper", "Enamel", "Maple", "Steel"),
    ),
    Department(
        "Garden",
        {
            "Tools": ("Hand Trowel", "Pruning Shears", "Watering Can", "Garden Fork", "Dibber"),
            "Pots": ("Plant Pot", "Hanging Planter", "Window Box", "Seed Tray"),
            "Outdoor Living": ("Fire Bowl", "Hammock", "Garden Bench", "Parasol"),
        },
        (500, 44900),
        "Size",
        ("Small", "Medium", "Large", "Extra Large"),
        ("Terracotta", "Zinc", "Teak", "Bamboo", "Recycled Plastic"),
    ),
    Department(
        "Outdoor",
        {
            "Camping": ("Tent", "Sleeping Bag", "Camp Stove", "Cooler", "Camp Chair"),
            "Bags": ("Daypack", "Duffel", "Hip Pack", "Dry Bag"),
            "Hydration": ("Water Bottle", "Flask", "Hydration Bladder"),
        },
        (1200, 59900),
        "Size",
        ("1 Person", "2 Persons", "3 Persons", "4 Persons"),
        ("Ripstop", "Canvas", "Titanium", "Steel", "Cordura"),
    ),
    Department(
        "Sports",
        {
            "Yoga": ("Yoga Mat", "Yoga Block", "Bolster", "Strap"),
            "Running": ("Running Tights", "Running Cap", "Wind Vest", "Running Belt"),
            "Cycling": ("Bike Helmet", "Bib Shorts", "Cycling Jersey", "Saddle Bag"),
        },
        (900, 19900),
        "Size",
        _SIZES,
        ("Cork", "Merino", "Recycled Polyester", "Natural Rubber"),
    ),
    Department(
        "Stationery",
        {
            "Paper": ("Notebook", "Sketchbook", "Planner", "Letter Set"),
            "Writing": ("Fountain Pen", "Mechanical Pencil", "Ballpoint", "Brush Pen"),
            "Desk": ("Desk Pad", "Pen Tray", "Letter Opener", "Desk Organizer"),
        },
        (300, 12900),
        "Ruling",
        ("Plain", "Lined", "Dotted", "Squared"),
        ("Cotton Paper", "Cork", "Brass", "Walnut", "Leather"),
    ),
    Department(
        "Toys",
        {
            "Wooden Toys": ("Building Blocks", "Train Set", "Stacking Tower", "Pull-Along Dog"),
            "Games": ("Memory Game", "Puzzle", "Dominoes", "Board Game"),
            "Soft Toys": ("Teddy Bear", "Rag Doll", "Plush Whale"),
        },
        (900, 8900),
        "Edition",
        ("Classic", "Travel", "Family", "Junior"),
        ("Maple", "Beech", "Organic Cotton", "Felt"),
    ),
)
COLORS = (
    "Black",
    "White",
    "Sand",
    "Olive",
    "Navy",
    "Rust",
    "Plum",
    "Sage",
    "Sky",
    "Mustard",
    "Charcoal",
    "Rose",
)
ADJECTIVES = (
    "Alpine",
    "Amber",
    "Arctic",
    "Autumn",
    "Breeze",
    "Bright",
    "Calm",
    "Coastal",
    "Copper Moon",
    "Dawn",
    "Drift",
    "Dune",
    "Echo",
    "Élan",
    "Ember",
    "Everyday",
    "Fern",
    "Field",
    "First Light",
    "Fjord",
    "Gentle",
    "Golden Hour",
    "Granite",
    "Harbor",
    "Heather",
    "Heritage",
    "Hollow",
    "Island",
    "Juniper",
    "Lake",
    "Little",
    "Lunar",
    "Meadow",
    "Midnight",
    "Misty",
    "North",
    "Orchard",
    "Pebble",
    "Quiet",
    "River",
    "Señora",
    "Shadow",
    "Silver",
    "Solstice",
    "Summit",
    "Terra",
    "Tidal",
    "Trail",
    "Urban",
    "Valley",
    "Velvet",
    "Wander",
    "Wild",
    "Winter",
    "Zephyr",
    "Ærø",
)
BRANDS = tuple(
    f"{first} {second}"
    for first in ("Fern", "Hollow", "North", "Paper", "Quiet", "River", "Salt", "Stone", "Tall", "Wild")
    for second in ("& Ash", "Atelier", "Goods", "House", "Works", "Workshop")
)
TAGS = (
    "bestseller",
    "bundle",
    "fair trade",
    "gift",
    "handmade",
    "limited",
    "local",
    "new",
    "organic",
    "outlet",
    "plastic-free",
    "premium",
    "recycled",
    "refillable",
    "repairable",
    "small batch",
    "summer",
    "travel",
    "vegan",
    "winter",
)
SENTENCES = (
    "Made in small batches and checked by hand.",
    "It gets better with every year of use.",
    "The color comes from plants and minerals.",
    "It packs flat and weighs next to nothing.",
    "Every part can be replaced, and we stock them all.",
    "Designed for small rooms and large families.",
    "Quietly useful from morning to night.",
    "It arrives without plastic, ready to use.",
    "A companion for weekends away.",
    "Wipe it clean, let it dry, and forget about it.",
)
VENDORS = (
    "Harbor Street Collective",
    "Mill Lane Makers",
    "Old Orchard Trading",
    "Second Story Supply",
    "Ten Fathoms",
    "The Long Table",
    "Upstream Goods",
    "Winding Road",
)
