"""The themes of the built-in shop: what a product is made of, the story told of it, and when it is used, in words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """What an interest that is told only in the text sounds like; no word of it concerns colour, pattern or kind.

    Attributes:
        name: the theme in words, for reports.
        materials, stories, occasions: sentences of which each text takes one.
    """

    name: str
    materials: tuple[str, ...]
    stories: tuple[str, ...]
    occasions: tuple[str, ...]


THEMES = (
    Theme(
        "harbour and sea",
        (
            "Trimmed with sailcloth and tarred rope from an old harbour chandlery.",
            "Reinforced with rope and sailcloth left over from a fishing fleet.",
            "Finished with driftwood and rope that a lighthouse keeper gathered at low tide.",
        ),
        (
            "Its maker grew up beside the harbour, counting fishing boats come home on the tide.",
            "It was dreamt up aboard a ferry, with gulls and salt spray for company.",
            "A lighthouse keeper on a windy island drew the first sketch between two tides.",
        ),
        (
            "Best taken along to the pier, the jetty or a salty ferry crossing.",
            "Pack it for a week by the sea, with gulls overhead and sand underfoot.",
            "It loves regatta weekends, salty air and long evenings on the jetty.",
        ),
    ),
    Theme(
        "mountain huts",
        (
            "Made with loden wool and larch from a valley below the glacier.",
            "Alpine wool, felted in a hut near the summit, keeps it sturdy.",
            "Larch fittings and climbing cord come from two mountain workshops.",
        ),
        (
            "A hut warden at two thousand metres asked for it after a long winter of snowdrifts.",
            "It goes back to a climber who waited out a storm below the glacier.",
            "The idea was born on a ridge walk, one valley away from the summit.",
        ),
        (
            "Bring it to the hut, with climbing boots drying by the alpine stove.",
            "It belongs to summit mornings, steep trails and snow until June.",
            "Made for ridge walks, for chalets, and for cheese after a steep climb.",
        ),
    ),
    Theme(
        "jazz at midnight",
        (
            "Brass details are turned from retired trumpet valves and cymbals.",
            "Finished with brass salvaged from a saxophone workshop.",
            "Velvet lining recalls the curtains of a basement jazz club.",
        ),
        (
            "A double bass player thought of it between two sets at a smoky club.",
            "It owes its rhythm to a trumpet solo heard long after midnight.",
            "Every maker here plays in the same swing quartet, saxophone first.",
        ),
        (
            "Right for late sets, slow ballads and records on a turntable.",
            "Keep it near the piano for swing, bebop and improvised encores.",
            "It suits a night at the club, with a trumpet murmuring past midnight.",
        ),
    ),
    Theme(
        "kitchen garden",
        (
            "Made with hemp twine and willow from the end of a vegetable plot.",
            "Fibre from nettles and flax, grown between the bean rows, gives it strength.",
            "Willow and twine were cut on an allotment just after pruning.",
        ),
        (
            "A gardener made the first one while the compost was steaming and the seedlings slept.",
            "It began at an allotment, swapped for a crate of courgettes and beans.",
            "The makers share a greenhouse, a wheelbarrow and far too many tomatoes.",
        ),
        (
            "Made for sowing days, for weeding, and for the first ripe tomatoes.",
            "Have it at hand between greenhouse and compost from seedling to harvest.",
            "It suits anyone who prunes, digs and talks to beans.",
        ),
    ),
    Theme(
        "stargazing",
        (
            "Fittings are machined like the focus ring of a small telescope.",
            "Its parts come from a workshop that grinds mirrors for an observatory.",
            "Made with featherweight alloy, as used on telescope mounts.",
        ),
        (
            "An astronomer wanted it for cold nights while waiting for a comet.",
            "It is named after a minor planet found from an amateur observatory.",
            "The maker sketched it during an eclipse, between Saturn and the Pleiades.",
        ),
        (
            "Take it out for meteor showers, eclipses and moonless nights.",
            "Perfect under the Milky Way, with a telescope and a map of constellations.",
            "Good company while Jupiter climbs and the galaxy turns slowly overhead.",
        ),
    ),
    Theme(
        "village bakery",
        (
            "Made with flour-sack linen washed soft by a village baker.",
            "Linen woven for proving baskets and dough cloths gives it its hand.",
            "Its linen first carried flour from the mill to the oven.",
        ),
        (
            "A baker asked for it at four in the morning, sourdough on the bench.",
            "It smells of nothing, though it was made above an oven full of rye loaves.",
            "Three generations of one bakery, kneading and proving, had their say.",
        ),
        (
            "Made for slow Sundays with yeast, dough, butter and warm brioche.",
            "Ideal on the way to buy croissants, or while the loaf is rising.",
            "It goes with crumbs, jam, sourdough and a second slice of cake.",
        ),
    ),
    Theme(
        "night trains",
        (
            "Made with upholstery moquette from retired sleeping carriages.",
            "Its buckles once held luggage nets in a railway compartment.",
            "Hard-wearing railway felt from a locomotive depot makes it last.",
        ),
        (
            "A conductor designed it on the sleeper between two capitals.",
            "It started as a sketch on a ticket, drawn in the dining carriage.",
            "The founders met on a delayed express and missed the same connection.",
        ),
        (
            "Made for platforms, sleeper compartments and tunnels at dawn.",
            "Take it on the express, with a timetable and a window seat.",
            "It likes branch lines, station clocks and long railway journeys.",
        ),
    ),
    Theme(
        "quiet tea ceremony",
        (
            "Bamboo and paper fittings are shaped by hand over charcoal.",
            "Made with bamboo split and smoothed for the whisking of matcha.",
            "Its clay and bamboo parts come from a small temple town.",
        ),
        (
            "A tea master taught the maker to leave out whatever was not needed.",
            "It follows the calm of a temple garden raked before the ceremony.",
            "The monk who approved it bowed, poured sencha and said nothing.",
        ),
        (
            "For unhurried afternoons, meditation and a bowl of matcha.",
            "Use it in silence, kneeling on tatami while the kettle sings.",
            "It brings stillness to a ceremony, incense to a memory, patience to guests.",
        ),
    ),
    Theme(
        "city cycling",
        (
            "Made with inner tubes and spokes from a bicycle repair shop.",
            "Reflective thread and handlebar tape make it fit for traffic.",
            "Retired bicycle chains and saddle leather give it its hardware.",
        ),
        (
            "A courier tested it for a thousand kilometres of rush-hour pedalling.",
            "It came out of a puncture, a rainy lane and a borrowed pump.",
            "The workshop repairs bicycles by day and sews with saddle thread by night.",
        ),
        (
            "Made for commutes, bike lanes, bridges and sprinting when the lights change.",
            "Strap it to the handlebars and pedal past the traffic.",
            "It is at home on a saddle, on a cargo bike, in a bell-ringing crowd.",
        ),
    ),
    Theme(
        "old libraries",
        (
            "Made with buckram and stiff endpaper, as bookbinders use.",
            "Bound with linen thread and glue from a bookbinder's bench.",
            "Its leather corners were cut for atlases and encyclopaedias.",
        ),
        (
            "A librarian ordered it while cataloguing a shelf of forgotten novels.",
            "It was inspired by a reading room, by dust, by a poet's margin notes.",
            "The maker inherited an archive and four thousand unread chapters.",
        ),
        (
            "For poetry, footnotes, long chapters and a rainy reading room.",
            "Keep it beside the armchair with a novel and a bookmark.",
            "It suits scholars, slow readers and those who whisper in archives.",
        ),
    ),
    Theme(
        "campfire and forest",
        (
            "Made with waxed canvas that smells of pine resin and smoke.",
            "Birch bark and resin-cured canvas shrug off a night in the woods.",
            "Its toggles are whittled from hazel with a pocket knife.",
        ),
        (
            "A forest ranger whittled the first sample beside a campfire.",
            "It was named by scouts who had lost their tent pegs and found owls.",
            "Moss, mushrooms and a family of badgers watched it being made.",
        ),
        (
            "For tents, hammocks, embers and porridge under the pines.",
            "Carry it into the woods to gather mushrooms, kindling or blueberries.",
            "It is happy near a campfire, among ferns, owls and wet moss.",
        ),
    ),
    Theme(
        "theatre nights",
        (
            "Lined with taffeta from a costume wardrobe behind the stage.",
            "Made with curtain velour and ribbon from a theatre's costume store.",
            "Sequins and taffeta, rescued from an opera chorus, hide inside.",
        ),
        (
            "An understudy finished it in the wings during the third act.",
            "It made its debut as a prop and earned applause of its own.",
            "A costume designer, tired of tragedies, made it for a comedy.",
        ),
        (
            "For premieres, intervals, curtain calls and a box at the opera.",
            "Bring it to rehearsal, learn your lines, bow to the balcony.",
            "It likes footlights, ovations, ballet matinees and gossip in the foyer.",
        ),
    ),
    Theme(
        "family farm",
        (
            "Made with wool from our own flock and straw from the barn.",
            "Unbleached fleece and saddle felt come straight from the farmyard.",
            "Horn and fleece are by-products of a dairy with thirty cows.",
        ),
        (
            "A shepherd drew it on a milk bill during lambing.",
            "It has been tried by hens, goats, a tractor and two children.",
            "The farm sells hay, honey, cheese and, since last spring, this.",
        ),
        (
            "For milking time, muddy orchards, hay bales and market days.",
            "Made for barn suppers, tractor rides and mornings with the hens.",
            "It fits a life of goats, gates, meadows and early milking.",
        ),
    ),
    Theme(
        "arcade and video games",
        (
            "Made with joystick rubber and console plastic, melted and pressed anew.",
            "Its fasteners click like the buttons of an arcade cabinet.",
            "Recycled circuit boards and joystick parts give it its edge.",
        ),
        (
            "A level designer modelled it in pixels before anyone sewed a seam.",
            "It was the prize of an arcade tournament, won with the last life.",
            "Two speedrunners invented it while waiting for a console to reboot.",
        ),
        (
            "For boss fights, high scores, co-op evenings and extra lives.",
            "Keep it by the console and press start on the weekend.",
            "It suits gamers who level up, respawn and never skip the tutorial.",
        ),
    ),
    Theme(
        "desert caravans",
        (
            "Woven from camel hair by nomads at the edge of the dunes.",
            "Made with goatskin cord and camel wool from a caravan market.",
            "Its tassels are knotted in an oasis between two dunes.",
        ),
        (
            "A nomad traded the design for dates, saffron and a song.",
            "It crossed the desert twice, once by camel and once by mistake.",
            "The weaver learned the craft at a caravanserai on the spice road.",
        ),
        (
            "For bazaars, tents, sweet tea and nights cooler than you expected.",
            "Take it where there are dunes, date palms and a caravan at dusk.",
            "It wants hot sand, spice markets and stories told at the oasis.",
        ),
    ),
    Theme(
        "science laboratory",
        (
            "Made with borosilicate parts and silicone from a chemistry supplier.",
            "Tested in a laboratory for tension, acid and repeated experiments.",
            "Its polymer was first synthesised for pipettes and microscopes.",
        ),
        (
            "A chemist proposed the hypothesis, a physicist ruined it, this remained.",
            "It was the control group of an experiment that nobody could replicate.",
            "Two botanists with one microscope argued about it for a semester.",
        ),
        (
            "For curious minds, seminars, test tubes and peer review.",
            "Take it to the laboratory, the lecture or a museum of molecules.",
            "It pleases anyone who measures, titrates and writes down the error.",
        ),
    ),
    Theme(
        "circus and fairground",
        (
            "Made with big-top canvas and trapeze rope, retired after a tour.",
            "Its canvas travelled for years with acrobats and a carousel.",
            "Brass hooks come from a carousel that turned for sixty summers.",
        ),
        (
            "A juggler dropped the first three and kept the fourth.",
            "It was sewn in a wagon between the trapeze act and the clowns.",
            "A fortune teller at the fairground foresaw it, ticket in hand.",
        ),
        (
            "For fairs, candyfloss, carousels and cheering at acrobats.",
            "Bring it to the big top and clap for the tightrope walker.",
            "It goes with popcorn, stilts, juggling and a lucky raffle ticket.",
        ),
    ),
    Theme(
        "winter holidays",
        (
            "Lined with flannel and stuffed with care by candlelight in December.",
            "Made with boiled flannel, horn buttons and sleigh-bell cord.",
            "Soft flannel and ribbon arrive wrapped, with a sprig of fir.",
        ),
        (
            "A grandmother made it for Advent, and then for all the neighbours.",
            "It was first sold at a Christmas market beside roasted chestnuts.",
            "Carol singers ordered forty, payable in gingerbread.",
        ),
        (
            "A present for Advent, for sleigh rides, for gingerbread afternoons.",
            "Unwrap it by the fireplace with chestnuts, carols and candles.",
            "It belongs to December: frost, mulled cider, mistletoe and skating.",
        ),
    ),
    Theme(
        "yoga and morning runs",
        (
            "Made with breathable, stretchy yarn developed for marathon runners.",
            "Sweat-proof fibre and cork, as in yoga mats, keep it light.",
            "Its stretch fabric is knitted for pilates, sprints and recovery.",
        ),
        (
            "A yoga teacher and a marathon runner settled on it after stretching.",
            "It was tested at sunrise by joggers with a pulse of one hundred and sixty.",
            "Their coach wanted one thing for warm-up, workout and breathing.",
        ),
        (
            "For sunrise stretching, intervals, smoothies and rest days.",
            "Bring it to the gym, the yoga studio or your first marathon.",
            "It supports balance, posture, breathing and one more lap.",
        ),
    ),
    Theme(
        "workshop and carpentry",
        (
            "Made with beech offcuts, planed and oiled at a joiner's bench.",
            "Dovetails, oak dowels and linseed oil hold it together.",
            "Brass screws and planed ash come from a cabinet maker.",
        ),
        (
            "A carpenter built it from sawdust-covered plans and a stub of pencil.",
            "It began as an apprentice piece, chisel and mallet only.",
            "The joiner measured twice, sawed once and sanded for a week.",
        ),
        (
            "For sanding, sawing, shelves and the smell of fresh shavings.",
            "Hang it above the workbench between chisel, clamp and spirit level.",
            "It suits people who repair chairs and keep every screw.",
        ),
    ),
)
