package blockkit

// Limits that every block and element share.
// https://docs.slack.dev/reference/block-kit/composition-objects/text-object/
// https://docs.slack.dev/reference/block-kit/block-elements/button-element/
const (
	TextMin     = 1
	TextMax     = 3000
	ActionIDMax = 255
	BlockIDMax  = 255

	ButtonTextMax               = 75
	ButtonURLMax                = 3000
	ButtonValueMax              = 2000
	ButtonAccessibilityLabelMax = 75
)

// Limits of a confirmation dialog.
// https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object/
const (
	ConfirmTitleMax  = 100
	ConfirmTextMax   = 300
	ConfirmButtonMax = 30
)

// Limits of options and of the elements that offer them.
// https://docs.slack.dev/reference/block-kit/composition-objects/option-object/
const (
	OptionTextMax        = 75
	OptionValueMax       = 150
	OptionDescriptionMax = 75
	OptionURLMax         = 3000
	GroupLabelMax        = 75
	GroupOptionsMin      = 1
	GroupOptionsMax      = 100
	PlaceholderMax       = 150
	SelectOptionsMax     = 100
	SelectGroupsMax      = 100
	OverflowOptionsMin   = 1
	OverflowOptionsMax   = 5
	CheckboxesMin        = 1
	CheckboxesMax        = 10
	RadioButtonsMin      = 1
	RadioButtonsMax      = 10
	FileInputFilesMin    = 1
	FileInputFilesMax    = 10
	PlainTextInputMax    = 3000
	URLSourceMin         = 1
	URLSourceMax         = 3000
)

// Limits of the blocks.
// https://docs.slack.dev/reference/block-kit/blocks/
const (
	ActionsElementsMax        = 25
	ContextElementsMax        = 10
	ContextActionsElementsMax = 5
	IconButtonUsersMax        = 10
	HeaderTextMax             = 150
	SectionTextMax            = 3000
	SectionFieldsMax          = 10
	SectionFieldMax           = 2000
	ImageURLMax               = 3000
	ImageAltTextMax           = 2000
	ImageTitleMax             = 2000
	InputLabelMax             = 2000
	InputHintMax              = 2000
	MarkdownMin               = 1
	MarkdownMax               = 12000
	AlertTextMax              = 200
	CardTitleMax              = 150
	CardSubtitleMax           = 150
	CardBodyMax               = 200
	CardActionsMax            = 3
	CardSubtextMax            = 200
	CarouselElementsMin       = 1
	CarouselElementsMax       = 10
	ContainerTitleMax         = 150
	ContainerSubtitleMax      = 150
	ContainerChildrenMax      = 10
	DataTableRowsMin          = 2
	DataTableRowsMax          = 201
	DataTableColumnsMin       = 1
	DataTableColumnsMax       = 20
	DataTablePageSizeMin      = 1
	DataTablePageSizeMax      = 100
	DataTableCellMin          = 1
	DataTableContentMax       = 20000
	ChartTitleMax             = 50
	ChartLabelMax             = 20
	ChartAxisLabelMax         = 50
	ChartPointsMin            = 1
	ChartPointsMax            = 20
	ChartItemsMin             = 1
	ChartItemsMax             = 12
	VideoAltTextMin           = 1
	VideoAltTextMax           = 200
	VideoTitleMax             = 200
	VideoAuthorMax            = 50
	VideoDescriptionMax       = 200
	VideoProviderMax          = 50
)

// MessageBlocksMax is how many blocks a message or an attachment holds.
// https://docs.slack.dev/reference/block-kit/blocks/
const MessageBlocksMax = 50

// MessageTextMax is the length from which Slack cuts a message's text off;
// here a longer one is refused.
// https://docs.slack.dev/reference/methods/chat.postMessage/
const MessageTextMax = 40000

// AttachmentsMax is how many attachments a message holds.
// https://docs.slack.dev/reference/methods/chat.postMessage/
const AttachmentsMax = 100

// Limits of a view.
// https://docs.slack.dev/reference/views/
const (
	ViewBlocksMin          = 1
	ViewBlocksMax          = 100
	ViewTitleMax           = 24
	ViewCloseMax           = 24
	ViewSubmitMax          = 24
	ViewPrivateMetadataMax = 3000
	ViewCallbackIDMax      = 255
	ViewExternalIDMax      = 255
)
