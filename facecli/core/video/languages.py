"""Languages of sound tracks: tags of any form as the three letters of ISO 639-2, which an MP4 stores."""

import re

# BCP 47: a language, then parts such as the region in `en-US`.
_TAG = re.compile(r"([a-zA-Z]{2,3})(?:[-_][a-zA-Z0-9]{1,8})*")
_UNKNOWN = frozenset({"und", "mis", "zxx"})
# ISO 639-1 in two letters, then ISO 639-2/T in three (https://www.loc.gov/standards/iso639-2/php/code_list.php).
_CODES = """
    aaaar ababk aeave afafr akaka amamh anarg arara asasm avava ayaym azaze babak bebel bgbul bibis
    bmbam bnben bobod brbre bsbos cacat ceche chcha cocos crcre csces cuchu cvchv cycym dadan dedeu
    dvdiv dzdzo eeewe elell eneng eoepo esspa etest eueus fafas ffful fifin fjfij fofao frfra fyfry
    gagle gdgla glglg gngrn guguj gvglv hahau heheb hihin hohmo hrhrv hthat huhun hyhye hzher iaina
    idind ieile igibo iiiii ikipk ioido isisl itita iuiku jajpn jvjav kakat kgkon kikik kjkua kkkaz
    klkal kmkhm knkan kokor krkau kskas kukur kvkom kwcor kykir lalat lbltz lglug lilim lnlin lolao
    ltlit lulub lvlav mgmlg mhmah mimri mkmkd mlmal mnmon mrmar msmsa mtmlt mymya nanau nbnob ndnde
    nenep ngndo nlnld nnnno nonor nrnbl nvnav nynya ococi ojoji omorm orori ososs papan pipli plpol
    pspus ptpor quque rmroh rnrun roron rurus rwkin sasan scsrd sdsnd sesme sgsag sisin skslk slslv
    smsmo snsna sosom sqsqi srsrp ssssw stsot susun svswe swswa tatam tetel tgtgk ththa titir tktuk
    tltgl tntsn toton trtur tstso tttat twtwi tytah uguig ukukr ururd uzuzb veven vivie vovol wawln
    wowol xhxho yiyid yoyor zazha zhzho zuzul
"""
_LONG = {code[:2]: code[2:] for code in _CODES.split()}


def iso_639_2(tag: str) -> str:
    """Return the code of three letters for a tag such as `deu`, `de` or `de-CH`; empty if unknown."""
    found = _TAG.fullmatch(tag.strip())
    if found is None:
        return ""
    language = found[1].lower()
    if len(language) == 2:
        return _LONG.get(language, "")
    return "" if language in _UNKNOWN else language
