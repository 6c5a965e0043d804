"""Sentences of documents, with statements that they say and statements that they do not say.

Every statement is given with the sentence as its exact quote: the quote is true, the question is
what it proves. The wrong ones have another number, unit, date or name, a denial more or less, another
subject, or a limit that is gone.
"""
# ruff: noqa: E501 - sentences of several languages

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A sentence, what was asked, and statements with this sentence as their quote."""

    question: str
    sentence: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]


CASES = [
    Case(
        "Who lit the lantern?",
        "The lantern was lit by Osla Brand on 24 December 1911.",
        (
            "Osla Brand lit the lantern on December 24, 1911.",
            "On 24 Dec. 1911 Osla Brand lit the lantern.",
            "Osla Brand",
            "It was lit by Osla Brand in 1911.",
            "The lantern was lit in December 1911.",
        ),
        (
            "Osla Brand lit the lantern on December 25, 1911.",
            "Per Larsen lit the lantern.",
            "The lantern was not lit by Osla Brand.",
            "Osla Brand lit the lantern in 1912.",
            "The lantern was lit by Osla Brand on 24 November 1911.",
            "Osla Brand lit the harbour.",
        ),
    ),
    Case(
        "How much did the new pier cost?",
        "The new pier had cost 4,250 crowns, which the company borrowed from the bank at Tolquay.",
        (
            "The new pier cost 4250 crowns.",
            "4,250 crowns",
            "The company borrowed 4,250 crowns from the bank at Tolquay.",
            "The pier cost 4 250 crowns, borrowed from a bank at Tolquay.",
        ),
        (
            "The new pier cost 4,520 crowns.",
            "The new pier cost 4,250 dollars.",
            "The bank at Tolquay borrowed 4,250 crowns from the company.",
            "42,500 crowns",
            "The new pier did not cost 4,250 crowns.",
        ),
    ),
    Case(
        "Did the company pay a dividend?",
        "The company did not pay a dividend in 2019 because trade was slow.",
        (
            "The company paid no dividend in 2019.",
            "No dividend was paid by the company in 2019.",
            "The company didn't pay a dividend in 2019.",
            "In 2019, because trade was slow, the company did not pay a dividend.",
        ),
        (
            "The company paid a dividend in 2019.",
            "The company did not pay a dividend in 2018.",
            "In 2019 the company paid a dividend because trade was slow.",
            "A dividend was paid in 2019.",
            "The company did not pay wages in 2019.",
        ),
    ),
    Case(
        "How many may the Lady Annis carry?",
        "The Lady Annis is licensed to carry 184 passengers and 19 cars, and her service speed is fourteen knots.",
        (
            "The Lady Annis is licensed to carry 184 passengers and 19 cars.",
            "184 passengers and 19 cars",
            "Her service speed is 14 knots.",
            "The Lady Annis is licensed for 19 cars and 184 passengers.",
            "The service speed of the Lady Annis is 14 knots.",
        ),
        (
            "The Lady Annis is licensed to carry 148 passengers.",
            "The Lady Annis is licensed to carry 19 passengers and 184 cars.",
            "The Grey Tern is licensed to carry 184 passengers.",
            "The service speed of the Lady Annis is 14 miles.",
            "The Lady Annis is licensed to carry 184 passengers and 29 cars.",
            "The service speed of the Lady Annis is fifteen knots.",
        ),
    ),
    Case(
        "Who pays the premium?",
        "The employer pays the premium within thirty days of the start of the term.",
        (
            "The employer pays the premium within 30 days of the start of the term.",
            "The premium is paid by the employer.",
            "The employer",
            "Within thirty days of the term's start, the employer pays the premium.",
        ),
        (
            "The employee pays the premium within thirty days of the start of the term.",
            "The employer pays the premium within 60 days.",
            "The employer does not pay the premium.",
            "The employer pays the premium within thirty weeks of the start of the term.",
            "The insurer pays the premium within thirty days.",
        ),
    ),
    Case(
        "Who has to repair the roof?",
        "The landlord must repair the roof, but the tenant shall keep the garden in order.",
        (
            "The landlord must repair the roof.",
            "The tenant shall keep the garden in order.",
            "The roof must be repaired by the landlord.",
            "The landlord",
        ),
        (
            "The tenant must repair the roof.",
            "The landlord shall keep the garden in order.",
            "The landlord must not repair the roof.",
            "The tenant must repair the roof, but the landlord shall keep the garden in order.",
        ),
    ),
    Case(
        "What is the dose for children?",
        "Children under twelve years receive 5 mg of the drug per day, adults 20 mg.",
        (
            "Children under 12 years receive 5 mg of the drug per day.",
            "Adults receive 20 mg per day.",
            "5 mg per day",
            "Per day, children under twelve years receive 5 mg of the drug.",
        ),
        (
            "Children under twelve years receive 5 g of the drug per day.",
            "Children receive 20 mg of the drug and adults 5 mg.",
            "Children under twelve years receive 15 mg of the drug per day.",
            "Children over twelve years receive 5 mg of the drug per day.",
            "Children under twelve years do not receive the drug.",
        ),
    ),
    Case(
        "How many patients improved?",
        "Of 240 patients, 168 improved within six weeks and 12 left the trial.",
        (
            "168 of 240 patients improved within 6 weeks.",
            "12 patients left the trial.",
            "168",
            "Within six weeks, 168 of the 240 patients had improved.",
        ),
        (
            "186 of 240 patients improved within six weeks.",
            "168 of 240 patients improved within six months.",
            "168 patients left the trial.",
            "12 patients improved.",
            "168 of 420 patients improved within six weeks.",
        ),
    ),
    Case(
        "How did revenue change?",
        "Revenue rose by 12.5 percent to $3.2 billion in the fiscal year 2021.",
        (
            "Revenue rose 12.5 % in fiscal year 2021.",
            "In 2021 revenue rose to $3,200 million.",
            "Revenue rose by 12.5% to 3.2 billion dollars.",
            "$3.2 billion",
            "The revenue rose to $3.2 billion.",
        ),
        (
            "Revenue fell by 12.5 percent in 2021.",
            "Revenue rose by 12.5 percent to $3.2 million.",
            "Revenue rose by 12.5 percent to €3.2 billion.",
            "Revenue rose by 12.5 percentage points.",
            "Revenue rose by 1.25 percent in 2021.",
            "Costs rose by 12.5 percent to $3.2 billion.",
        ),
    ),
    Case(
        "Who bought the yard?",
        "Brandt and Oke sold the yard to the Harbour Company in March 1987 for $1,200,000.",
        (
            "Brandt and Oke sold the yard to the Harbour Company in March 1987.",
            "The yard was sold to the Harbour Company for $1.2 million.",
            "The Harbour Company",
            "In March 1987, Brandt and Oke sold the yard for 1,200,000 dollars.",
        ),
        (
            "The Harbour Company sold the yard to Brandt and Oke in March 1987.",
            "Brandt and Oke sold the yard in May 1987.",
            "Brandt and Oke sold the yard for $12 million.",
            "Brandt and Oke sold the yard to the Petrel Company.",
            "Brandt and Oke never sold the yard to the Harbour Company.",
        ),
    ),
    Case(
        "When does the office open?",
        "The office opens at 9 a.m. on Monday and closes at 5 p.m. on Friday.",
        (
            "The office opens at 9 a.m. on Monday.",
            "It closes at 5 p.m. on Friday.",
            "On Mondays the office opens at 9 a.m.",
            "9 a.m.",
        ),
        (
            "The office opens at 9 p.m. on Monday.",
            "The office opens at 9 a.m. on Sunday.",
            "The office closes at 6 p.m. on Friday.",
            "The office does not open on Monday.",
        ),
    ),
    Case(
        "How long was Hector Vance keeper?",
        "Hector Vance served the longest, thirty-one years, and learned the violin from a book.",
        (
            "Hector Vance served for 31 years.",
            "31 years",
            "Hector Vance learned the violin from a book.",
            "He served thirty-one years.",
            "Hector Vance served longest: 31 years.",
        ),
        (
            "Hector Vance served for 13 years.",
            "Hector Vance served for 31 months.",
            "Ruth Adeane served for 31 years.",
            "Hector Vance learned the piano from a book.",
            "Hector Vance never learned the violin.",
        ),
    ),
    Case(
        "What did the council decide?",
        "The council planned to build a bridge over the sound but lacked the money.",
        (
            "The council planned to build a bridge over the sound.",
            "The council lacked the money.",
            "It planned to build a bridge over the sound, but it lacked the money.",
        ),
        (
            "The council built a bridge over the sound.",
            "The council had the money.",
            "The council planned to build a tunnel over the sound.",
        ),
    ),
    Case(
        "How high is the tower?",
        "The tower is at least 41 metres high and has fewer than 170 steps.",
        (
            "The tower is at least 41 metres high.",
            "The tower has fewer than 170 steps.",
            "It is at least 41 m high.",
            "At least 41 metres",
        ),
        (
            "The tower is 41 metres high.",
            "The tower has 170 steps.",
            "The tower is at least 41 feet high.",
            "The tower has more than 170 steps.",
            "The tower is at most 41 metres high.",
        ),
    ),
    Case(
        "Who discovered the comet?",
        "In 1843 the astronomer Edda Strand discovered the comet, eleven years before Walter Imrie.",
        (
            "Edda Strand discovered the comet in 1843.",
            "The comet was discovered by the astronomer Edda Strand.",
            "Edda Strand, in 1843",
            "Edda Strand discovered the comet 11 years before Walter Imrie.",
        ),
        (
            "Walter Imrie discovered the comet in 1843.",
            "Edda Strand discovered the comet in 1834.",
            "Walter Imrie discovered the comet eleven years before Edda Strand.",
            "Edda Strand discovered the planet in 1843.",
        ),
    ),
    Case(
        "What is the power of the turbine?",
        "The turbine turns fourteen times a minute in full stream and is rated at 320 kilowatts.",
        (
            "The turbine is rated at 320 kW.",
            "320 kilowatts",
            "It is rated at 320 kilowatts.",
            "In full stream the turbine turns 14 times a minute.",
        ),
        (
            "The turbine is rated at 320 megawatts.",
            "The turbine is rated at 230 kilowatts.",
            "The turbine turns forty times a minute.",
            "The turbine turns 14 times a second in full stream.",
        ),
    ),
    Case(
        "When was the treaty signed?",
        "France and Prussia signed the treaty on 10 May 1871 at Frankfurt.",
        (
            "The treaty was signed on May 10, 1871.",
            "France and Prussia signed the treaty at Frankfurt.",
            "10 May 1871",
            "On 10 May 1871 the treaty was signed by France and Prussia.",
        ),
        (
            "The treaty was signed on May 10, 1817.",
            "France and Austria signed the treaty at Frankfurt.",
            "France and Prussia signed the treaty at Berlin.",
            "The treaty was signed on 10 March 1871.",
            "France and Prussia did not sign the treaty.",
        ),
    ),
    Case(
        "What does the router need?",
        "The router needs 512 MB of memory and refuses connections without a certificate.",
        (
            "The router needs 512 MB of memory.",
            "512 MB",
            "It refuses connections without a certificate.",
            "512 megabytes of memory are needed by the router.",
        ),
        (
            "The router needs 512 GB of memory.",
            "The router needs 256 MB of memory.",
            "The server needs 512 MB of memory.",
            "The router accepts connections without a certificate.",
        ),
    ),
    Case(
        "Who wrote the report?",
        "The report, which Ruth Adeane wrote in the winter of 1903, was never printed.",
        (
            "Ruth Adeane wrote the report in the winter of 1903.",
            "The report was never printed.",
            "Ruth Adeane",
            "The report was written by Ruth Adeane in 1903.",
        ),
        (
            "The report was printed.",
            "Ruth Adeane wrote the report in the summer of 1903.",
            "Lorna Maybury wrote the report.",
            "Ruth Adeane wrote the report in 1930.",
        ),
    ),
    Case(
        "How far is the island?",
        "The island lies twenty-two miles west of Dunmarrow and has about 1,900 inhabitants.",
        (
            "The island lies 22 miles west of Dunmarrow.",
            "It has about 1,900 inhabitants.",
            "22 miles",
            "The island has some 1900 inhabitants.",
        ),
        (
            "The island lies 22 kilometres west of Dunmarrow.",
            "The island lies 22 miles east of Dunmarrow.",
            "The island has about 9,100 inhabitants.",
            "The island lies twenty miles west of Dunmarrow.",
        ),
    ),
    Case(
        "What did the court hold?",
        "The court held that the lessee had breached the lease and awarded the lessor damages of £15,000.",
        (
            "The court held that the lessee had breached the lease.",
            "The lessor was awarded damages of £15,000.",
            "£15,000",
            "The court awarded the lessor £15,000 in damages.",
        ),
        (
            "The court held that the lessor had breached the lease.",
            "The court awarded the lessee damages of £15,000.",
            "The court awarded the lessor damages of £50,000.",
            "The court awarded the lessor damages of $15,000.",
            "The court held that the lessee had not breached the lease.",
        ),
    ),
    Case(
        "Which grain is exported?",
        "In 2015 Norland exported 3.4 million tonnes of wheat and imported no rice.",
        (
            "Norland exported 3.4 million tonnes of wheat in 2015.",
            "3,400,000 tonnes",
            "Norland imported no rice in 2015.",
            "In 2015, 3.4 million tonnes of wheat were exported by Norland.",
        ),
        (
            "Norland imported 3.4 million tonnes of wheat in 2015.",
            "Norland exported 3.4 million tonnes of rice in 2015.",
            "Norland exported 4.3 million tonnes of wheat.",
            "Norland exported 3.4 billion tonnes of wheat in 2015.",
            "Norland imported rice in 2015.",
        ),
    ),
    Case(
        "Wann wurde der Turm gebaut?",
        "Der Turm wurde 1871 von Josiah Penrow erbaut und ist 1.234 Zentimeter breit.",
        (
            "Josiah Penrow baute den Turm im Jahr 1871.",
            "1871",
            "Der Turm ist 1234 Zentimeter breit.",
            "Erbaut wurde der Turm 1871 von Josiah Penrow.",
        ),
        (
            "Josiah Penrow baute den Turm im Jahr 1817.",
            "Der Turm wurde nicht von Josiah Penrow erbaut.",
            "Der Turm ist 1234 Meter breit.",
            "Der Turm wurde 1871 von Hektor Vance erbaut.",
        ),
    ),
    Case(
        "Wer zahlt die Miete?",
        "Der Mieter zahlt die Miete von 850 Euro bis zum dritten Werktag des Monats nicht bar.",
        (
            "Der Mieter zahlt die Miete nicht bar.",
            "Die Miete von 850 Euro zahlt der Mieter nicht bar.",
            "850 Euro zahlt der Mieter nicht bar.",
        ),
        (
            "Der Vermieter zahlt die Miete nicht bar.",
            "Der Mieter zahlt die Miete bar.",
            "Der Mieter zahlt die Miete von 580 Euro nicht bar.",
            "Der Mieter zahlt die Miete von 850 Dollar nicht bar.",
        ),
    ),
    Case(
        "Qui a bâti le phare ?",
        "Le phare a été bâti par Anne Morel en 1842 et mesure 35 mètres.",
        (
            "Anne Morel a bâti le phare en 1842.",
            "Le phare mesure 35 m.",
            "Anne Morel",
            "En 1842, le phare a été bâti par Anne Morel.",
        ),
        (
            "Anne Morel a bâti le phare en 1824.",
            "Le phare n'a pas été bâti par Anne Morel.",
            "Paul Morel a bâti le phare en 1842.",
            "Le phare mesure 35 kilomètres.",
        ),
    ),
    Case(
        "¿Cuándo se abrió el puerto?",
        "El puerto se abrió el 3 de mayo de 1905 y nunca tuvo más de doce barcos.",
        (
            "El puerto se abrió el 3 de mayo de 1905.",
            "El 3 de mayo de 1905",
            "El puerto nunca tuvo más de 12 barcos.",
        ),
        (
            "El puerto se abrió el 3 de marzo de 1905.",
            "El puerto se abrió el 5 de mayo de 1905.",
            "El puerto no se abrió en 1905.",
            "El puerto tuvo más de doce barcos.",
        ),
    ),
    Case(
        "灯塔是哪年建成的？",
        "灯塔于1871年由工程师李明建成，高41米，没有电梯。",
        (
            "灯塔于1871年建成。",
            "灯塔由工程师李明建成。",
            "1871年",
            "灯塔高41米。",
            "灯塔没有电梯。",
        ),
        (
            "灯塔于1817年建成。",
            "灯塔由工程师王强建成。",
            "灯塔高41公里。",
            "灯塔有电梯。",
            "灯塔高14米。",
        ),
    ),
    Case(
        "Кто построил маяк?",
        "Маяк построил инженер Пётр Орлов в 1871 году, и он не закрывался до 1950 года.",
        (
            "Инженер Пётр Орлов построил маяк в 1871 году.",
            "Пётр Орлов",
            "Маяк был построен в 1871 году инженером Петром Орловым.",
            "В 1871 году маяк построил Пётр Орлов.",
        ),
        (
            "Инженер Пётр Орлов построил маяк в 1817 году.",
            "Инженер Иван Орлов построил маяк.",
            "Пётр Орлов не построил маяк.",
        ),
    ),
    Case(
        "How many shares does each house hold?",
        "Each house holds one share in the Company, and no share may be sold to a stranger.",
        (
            "No share may be sold to a stranger.",
            "Each house holds one share in the Company.",
            "A share may not be sold to a stranger.",
        ),
        (
            "A share may be sold to a stranger.",
            "Each house holds two shares in the Company.",
            "Each stranger holds one share in the Company.",
        ),
    ),
    Case(
        "What did the trawler damage?",
        "In 2021 a trawler dragged its gear across the export cable of Quern Two.",
        (
            "A trawler dragged its gear across the export cable of Quern Two in 2021.",
            "In 2021 the export cable of Quern Two was crossed by the gear of a trawler.",
            "The trawler dragged its gear across the cable in 2021.",
        ),
        (
            "A trawler dragged its gear across the export cable of Quern One.",
            "In 2012 a trawler dragged its gear across the export cable of Quern Two.",
            "A trawler dragged its gear across the import cable of Quern Two.",
        ),
    ),
    Case(
        "What temperature does the process need?",
        "The process runs at 80 °C for 45 minutes, after which the mixture is cooled to 5 °C.",
        (
            "The process runs at 80 °C for 45 minutes.",
            "The mixture is cooled to 5 °C afterwards.",
            "80 °C",
            "It runs for 45 min at 80 °C.",
        ),
        (
            "The process runs at 80 °F for 45 minutes.",
            "The process runs at 80 °C for 45 hours.",
            "The mixture is cooled to 15 °C.",
            "The process runs at 90 °C for 45 minutes.",
        ),
    ),
    Case(
        "Who won the election?",
        "Maria Holm won the election of 1998 with 54 percent of the vote; Jon Dahl got 41 percent.",
        (
            "Maria Holm won the election of 1998 with 54 % of the vote.",
            "Jon Dahl got 41 percent.",
            "Maria Holm",
            "The election of 1998 was won by Maria Holm with 54 percent.",
        ),
        (
            "Jon Dahl won the election of 1998.",
            "Maria Holm lost the election of 1998.",
            "Maria Holm won the election of 1989.",
            "Maria Holm won the election with 45 percent of the vote.",
            "Maria Hansen won the election of 1998.",
        ),
    ),
    Case(
        "How is the alloy made?",
        "The alloy contains 60 percent copper and 40 percent zinc and melts at 900 degrees.",
        (
            "The alloy contains 60 % copper and 40 % zinc.",
            "It melts at 900 degrees.",
            "60 percent copper and 40 percent zinc",
            "The alloy has 40 percent zinc.",
        ),
        (
            "The alloy contains 40 percent copper and 60 percent zinc.",
            "The alloy contains 60 percent tin.",
            "The alloy melts at 800 degrees.",
            "The alloy does not melt at 900 degrees.",
        ),
    ),
    Case(
        "When did the bearing fail?",
        "A bearing failed in Quern One in the last week of April 2018, and the new one was delivered to the wrong island.",
        (
            "A bearing failed in Quern One in April 2018.",
            "The new bearing was delivered to the wrong island.",
            "In the last week of April 2018, a bearing of Quern One failed.",
        ),
        (
            "A bearing failed in Quern Two in April 2018.",
            "A bearing failed in Quern One in August 2018.",
            "The new bearing was delivered to the right island.",
            "A bearing failed in Quern One in the first week of April 2018.",
        ),
    ),
    Case(
        "Who owns the ferry?",
        "The ferry is owned by the islanders and has been insured by Lloyd's since 1952.",
        (
            "The islanders own the ferry.",
            "The ferry has been insured by Lloyd's since 1952.",
            "The islanders",
            "Since 1952 the ferry has been insured by Lloyd's.",
        ),
        (
            "The ferry owns the islanders.",
            "The ferry is owned by the council.",
            "The ferry has been insured by Lloyd's since 1925.",
            "The ferry is not owned by the islanders.",
            "Lloyd's is insured by the ferry.",
        ),
    ),
    Case(
        "What does the licence allow?",
        "The licensee may copy the software for backup but may not sell, rent or lend it.",
        (
            "The licensee may copy the software for backup.",
            "The licensee may not sell, rent or lend the software.",
            "Copying the software for backup is allowed: the licensee may do it.",
        ),
        (
            "The licensee may sell the software.",
            "The licensee may not copy the software for backup.",
            "The licensor may copy the software for backup.",
        ),
    ),
    Case(
        "How old was the captain?",
        "Captain Edda Strand, then fifty-six years old, came down at dusk to double the moorings.",
        (
            "Captain Edda Strand was 56 years old.",
            "Edda Strand came down at dusk to double the moorings.",
            "56 years",
            "Captain Strand came down at dusk.",
        ),
        (
            "Captain Edda Strand was 65 years old.",
            "Captain Edda Strand came down at dawn to double the moorings.",
            "Captain Walter Imrie was fifty-six years old.",
        ),
    ),
    Case(
        "What is known of the species?",
        "The species was first described by Linnaeus in 1758 and is not found south of the Alps.",
        (
            "Linnaeus first described the species in 1758.",
            "The species is not found south of the Alps.",
            "It was described by Linnaeus in 1758.",
            "Linnaeus",
        ),
        (
            "Linnaeus first described the species in 1785.",
            "The species is found south of the Alps.",
            "The species is not found north of the Alps.",
            "Darwin first described the species in 1758.",
        ),
    ),
    Case(
        "What was the casualty count?",
        "Two people died and seventeen were injured when the train left the track near Halden on 3 March 1967.",
        (
            "17 people were injured and two died near Halden.",
            "The train left the track near Halden on March 3, 1967.",
            "Two people died.",
            "Seventeen people were injured on 3 March 1967.",
        ),
        (
            "Two people were injured and seventeen died.",
            "The train left the track near Halden on March 13, 1967.",
            "Seven people were injured near Halden.",
            "Nobody died near Halden on 3 March 1967.",
            "The train left the track near Hamar on 3 March 1967.",
        ),
    ),
    Case(
        "What may the board do?",
        "The board may dismiss the director only if two thirds of the shareholders agree.",
        (
            "The board may dismiss the director only if two thirds of the shareholders agree.",
            "Only if two thirds of the shareholders agree may the board dismiss the director.",
            "The director may be dismissed by the board only if two thirds of the shareholders agree.",
        ),
        (
            "The director may dismiss the board only if two thirds of the shareholders agree.",
            "The board may not dismiss the director.",
            "The board may dismiss the director only if one third of the shareholders agree.",
        ),
    ),
    Case(
        "How much rain fell?",
        "In July 2014 rain of 312 mm fell at Skarra, three times the mean of the month.",
        (
            "Rain of 312 mm fell at Skarra in July 2014.",
            "312 mm",
            "At Skarra 312 millimetres of rain fell in July 2014.",
            "Three times the mean of the month fell at Skarra in July 2014.",
        ),
        (
            "Rain of 312 cm fell at Skarra in July 2014.",
            "Rain of 312 mm fell at Skarra in June 2014.",
            "Rain of 321 mm fell at Skarra in July 2014.",
            "Rain of 312 mm fell at Havenby in July 2014.",
        ),
    ),
]

# Written when all was done: 28 of 30 right ones were supported then, and 2 of 30 wrong ones, a number
# beside what another number belongs to, which was mended.
LATER_CASES = [
    Case(
        "When was the railway opened?",
        "The railway from Halden to Moss was opened by King Oscar on 2 January 1879 after six years of work.",
        (
            "King Oscar opened the railway from Halden to Moss on January 2, 1879.",
            "It was opened in January 1879.",
            "The railway was opened after 6 years of work.",
        ),
        (
            "King Oscar opened the railway from Halden to Moss on 2 June 1879.",
            "King Haakon opened the railway in 1879.",
            "The railway was opened after six months of work.",
        ),
    ),
    Case(
        "What must the supplier deliver?",
        "The supplier shall deliver 500 valves to the purchaser by 30 June and shall not charge for packing.",
        (
            "The supplier shall deliver 500 valves to the purchaser by June 30.",
            "The supplier shall not charge for packing.",
            "500 valves",
        ),
        (
            "The purchaser shall deliver 500 valves to the supplier by 30 June.",
            "The supplier shall charge for packing.",
            "The supplier shall deliver 50 valves by 30 June.",
        ),
    ),
    Case(
        "How does the vaccine work?",
        "In the trial the vaccine prevented 94 percent of severe cases but only 61 percent of mild ones.",
        (
            "The vaccine prevented 94% of severe cases in the trial.",
            "61 percent of mild cases were prevented.",
            "In the trial, 94 percent of severe cases were prevented by the vaccine.",
        ),
        (
            "The vaccine prevented 61 percent of severe cases.",
            "The vaccine caused 94 percent of severe cases.",
            "The vaccine prevented 49 percent of severe cases in the trial.",
        ),
    ),
    Case(
        "Who founded the company?",
        "Anna Berg and her brother Nils founded the company in 1924 with a capital of 30,000 kroner.",
        (
            "The company was founded in 1924 by Anna Berg and her brother Nils.",
            "It was founded with a capital of 30,000 kroner.",
            "Anna Berg founded the company in 1924.",
        ),
        (
            "The company was founded in 1942 by Anna Berg and her brother Nils.",
            "It was founded with a capital of 30,000 euros.",
            "Anna Holm founded the company in 1924.",
        ),
    ),
    Case(
        "What were operating expenses?",
        "Operating expenses decreased from $48.2 million in 2020 to $41.7 million in 2021.",
        (
            "Operating expenses decreased to $41.7 million in 2021.",
            "In 2021 operating expenses were $41.7 million.",
            "Operating expenses fell from $48.2 million to $41.7 million.",
        ),
        (
            "Operating expenses increased from $48.2 million in 2020 to $41.7 million in 2021.",
            "Operating expenses decreased from $41.7 million in 2020 to $48.2 million in 2021.",
            "Operating expenses decreased to $41.7 billion in 2021.",
        ),
    ),
    Case(
        "Where does the plant grow?",
        "The plant grows on dry slopes below 900 metres and flowers from May to July.",
        (
            "The plant grows on dry slopes below 900 m.",
            "It flowers from May to July.",
            "The plant flowers between May and July.",
        ),
        (
            "The plant grows on dry slopes above 900 metres.",
            "The plant flowers from March to July.",
            "The plant does not grow on dry slopes.",
        ),
    ),
    Case(
        "What did the minister say?",
        "The minister denied that the government had sold the islands to the United States.",
        (
            "The minister denied that the government had sold the islands to the United States.",
            "The minister denied a sale of the islands to the United States.",
            "According to the document, the minister denied that the islands had been sold.",
        ),
        (
            "The government had sold the islands to the United States.",
            "The minister said that the government had sold the islands.",
            "The United States had sold the islands to the government.",
        ),
    ),
    Case(
        "Wie hoch ist der Berg?",
        "Der Berg ist 2.314 Meter hoch und wurde zuerst 1856 von zwei Brüdern aus Bern bestiegen.",
        (
            "Der Berg ist 2314 m hoch.",
            "Zuerst wurde der Berg 1856 von zwei Brüdern aus Bern bestiegen.",
            "2314 Meter",
        ),
        (
            "Der Berg ist 2.341 Meter hoch.",
            "Der Berg wurde zuerst 1856 von drei Brüdern aus Bern bestiegen.",
            "Der Berg wurde nie bestiegen.",
        ),
    ),
    Case(
        "What is the warranty?",
        "The warranty lasts twenty-four months and does not cover damage by water.",
        (
            "The warranty lasts 24 months.",
            "Damage by water is not covered by the warranty.",
            "24 months",
        ),
        (
            "The warranty lasts 24 weeks.",
            "The warranty covers damage by water.",
            "The warranty lasts 42 months.",
        ),
    ),
    Case(
        "Who commanded the fleet?",
        "Admiral Rosen commanded the northern fleet of eleven ships, while Captain Voss led the southern one.",
        (
            "Admiral Rosen commanded the northern fleet.",
            "Captain Voss led the southern fleet.",
            "The northern fleet of 11 ships was commanded by Admiral Rosen.",
        ),
        (
            "Captain Voss commanded the northern fleet.",
            "Admiral Rosen commanded the southern fleet.",
            "Admiral Rosen commanded a fleet of twelve ships.",
        ),
    ),
]
