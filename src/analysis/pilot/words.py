"""Invented people and what they write: common names, towns, sentences, telephone numbers kept for fiction."""

from __future__ import annotations

# fmt: off
FIRST_NAMES = (
    "Anna", "Bernd", "Christa", "Dieter", "Elif", "Frank", "Gisela", "Hasan", "Ingrid", "Jürgen", "Karin", "Lukas",
    "Maria", "Niklas", "Olga", "Peter", "Renate", "Stefan", "Tanja", "Uwe", "Verena", "Wolfgang", "Yasmin", "Zoran",
    "Björn", "Käthe", "Günter", "Heike", "Jörg", "Sören", "Petra", "Thomas", "Sabine", "Andreas", "Julia", "Markus",
    "Ursula", "Werner", "Monika", "Ralf",
)
LAST_NAMES = (
    "Müller", "Schmidt", "Schneider", "Fischer", "Weber", "Meyer", "Wagner", "Becker", "Schulz", "Hoffmann",
    "Schäfer", "Koch", "Bauer", "Richter", "Klein", "Wolf", "Schröder", "Neumann", "Schwarz", "Zimmermann", "Braun",
    "Krüger", "Hofmann", "Hartmann", "Lange", "Schmitt", "Werner", "Krause", "Meier", "Lehmann", "Köhler", "Maier",
    "König", "Walter", "Huber", "Kaiser", "Fuchs", "Peters", "Lang", "Scholz", "Möller", "Weiß", "Jung", "Hahn",
    "Vogel", "Günther", "Keller", "Yilmaz", "Nowak", "Kowalski",
)
# fmt: on
TOWNS = (
    ("Hamburg", "Kiel", "Lübeck", "Bremen", "Hannover", "Göttingen"),
    ("Berlin", "Leipzig", "Dresden", "Görlitz", "Rostock", "Köthen"),
    ("München", "Nürnberg", "Stuttgart", "Würzburg", "Tübingen", "Lörrach"),
    ("Köln", "Düsseldorf", "Münster", "Frankfurt am Main", "Saarbrücken", "Gütersloh"),
)
"""By region, in the order of ``model.REGION``."""

PHONES = ("040 66969", "030 23125", "089 99998", "0221 4710")
"""Beginnings by region; with any three digits after them the Bundesnetzagentur assigns them to nobody."""

UMLAUTS = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"))

OPENINGS = (
    (
        "Leider bin ich enttäuscht.",
        "So kann das nicht weitergehen.",
        "Früher war ich zufriedener.",
        "Ich überlege zu kündigen.",
    ),
    ("Im Großen und Ganzen in Ordnung.", "Geht so.", "Manches ist gut, manches nicht.", "Es gibt noch Luft nach oben."),
    ("Sehr zufrieden!", "Ich empfehle Sie gern weiter.", "Alles bestens.", "Seit Jahren gern Ihr Kunde."),
)
"""By score: up to 6, 7 and 8, from 9."""

DETAILS = (
    (
        ("Der Kaffee schmeckte muffig.", "Die Röstung war verbrannt.", "Die Qualität lässt nach."),
        ("Der Kaffee ist ordentlich.", "Die Röstung schwankt etwas.", "Die Qualität ist mittelmäßig."),
        ("Der Kaffee ist ausgezeichnet.", "Die Röstung ist wunderbar.", "Die Qualität überzeugt jedes Mal."),
    ),
    (
        ("Die Lieferung kam zwei Wochen zu spät.", "Das Paket war beschädigt.", "Die Lieferzeit ist zu lang."),
        ("Die Lieferung dauert manchmal etwas.", "Lieferzeit durchschnittlich.", "Das Paket kam nach fünf Tagen."),
        ("Die Lieferung war blitzschnell.", "Immer pünktlich geliefert.", "Das Paket war sorgfältig gepackt."),
    ),
    (
        ("Die Preiserhöhung ist unverschämt.", "Viel zu teuer geworden.", "Der Preis stimmt nicht mehr."),
        ("Der Preis ist gerade noch angemessen.", "Etwas teuer.", "Andere sind auch nicht billiger."),
        ("Preis und Leistung stimmen.", "Ein fairer Preis.", "Günstiger als erwartet."),
    ),
    (
        (
            "Der Kundenservice antwortet nicht.",
            "Am Telefon hing ich\neine halbe Stunde.",
            "Niemand fühlt sich zuständig.",
        ),
        ("Der Service ist bemüht.", "Der Kundenservice braucht etwas Zeit.", "Die Beratung war ausreichend."),
        ("Der Kundenservice ist freundlich und schnell.", "Toller Service!", "Die Beratung war hervorragend."),
    ),
    (
        ("Die Bestellung im Internet ist umständlich.", "Der Warenkorb stürzt ab.", "Bestellen ist ein Geduldsspiel."),
        ("Bestellen geht, könnte aber einfacher sein.", "Die Seite ist etwas langsam.", "Bestellung in Ordnung."),
        ("Bestellen ist kinderleicht.", "Die Bestellung klappt reibungslos.", "Die Seite ist übersichtlich."),
    ),
    (
        ("Die Maschine ist ständig defekt.", "Das Gerät tropft.", "Schon die dritte Reparatur."),
        ("Die Maschine läuft meistens.", "Das Gerät ist etwas laut.", "Die Maschine tut ihren Dienst."),
        ("Die Maschine läuft seit Jahren.", "Das Gerät ist sehr zuverlässig.", "Eine großartige Maschine."),
    ),
)
"""By attribute, in the order of ``model.RATINGS``; by rating: 1 and 2, 3, 4 and 5."""
