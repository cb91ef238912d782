package credly

import (
	"slices"

	"golang.org/x/text/language"
)

// mailLocales are the languages of Credly's mail, see
// https://www.credly.com/docs/issued_badges.
var mailLocales = []string{"en", "fr", "de", "ko", "ja", "zh-CN", "pt", "es-ES", "es-US", "fr-CA", "pt-BR"}

var mailMatcher = language.NewMatcher([]language.Tag{
	language.English, language.French, language.German, language.Korean, language.Japanese,
	language.MustParse("zh-CN"), language.Portuguese, language.MustParse("es-ES"), language.MustParse("es-US"),
	language.CanadianFrench, language.BrazilianPortuguese,
})

// mailLocale returns the closest language of Credly's mail, or empty where
// none is close, which leaves the choice to Credly.
func mailLocale(locale string) string {
	if slices.Contains(mailLocales, locale) {
		return locale
	}
	tag, err := language.Parse(locale)
	if err != nil {
		return ""
	}
	_, i, confidence := mailMatcher.Match(tag)
	if confidence == language.No {
		return ""
	}
	return mailLocales[i]
}
